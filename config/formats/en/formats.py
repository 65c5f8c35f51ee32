"""Times as everywhere else in the product: ISO order, 24 hours, with their zone."""

DATETIME_FORMAT = "Y-m-d H:i:s e"
