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

// What the bundle leaves without a name, out of reach of the keyboard, or as a link in a button
// (WCAG 2.2: 4.1.2 and 2.1.1). The button opens the operation and writes its address by itself.
function mend() {
  for (const select of document.querySelectorAll("select:not([aria-label])")) {
    select.setAttribute("aria-label", select.id === "servers" ? "Server" : "Example");
  }
  for (const example of document.querySelectorAll("pre:not([tabindex])")) {
    example.tabIndex = 0;
  }
  for (const link of document.querySelectorAll(".opblock-summary-control a[href]")) {
    link.removeAttribute("href");
  }
}
new MutationObserver(mend).observe(document.getElementById("reference"), {
  childList: true,
  subtree: true,
});
