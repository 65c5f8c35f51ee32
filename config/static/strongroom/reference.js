// A file of its own: the page's policy lets no script run that stands in the page.
"use strict";
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  // Asks a server of others otherwise.
  validatorUrl: null,
});
