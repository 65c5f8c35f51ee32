"""The API reference: one OpenAPI document made of what each app says of its addresses."""
