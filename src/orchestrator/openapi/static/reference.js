// What /docs shows: the description at openapi.json, which is served beside the page.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  validatorUrl: null, // it would send the description to a public validator
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
