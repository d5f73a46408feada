"""The console at `/console`: what the API has, as pages for people. A client of the API like any other.

How to add a page:

1. A module of this package with `router = APIRouter(prefix="/console/…", route_class=SignedIn,
   include_in_schema=False)`, added to `_PAGES` in `routes.py`. GETs change nothing.
2. A route takes `page: InPage` and asks the API: `await page.get("/v2/…", status="ACTIVE")` is an `Answer` (`.body`),
   and a refusal becomes the page; `page.ask` hands refusals back, so that one panel alone shows them;
   `await page.together(page.get(…), page.ask(…))` asks at once. It ends with `await page.show("x.html", found=answer)`.
   Ids go into paths by `path_to("/v2/Conversations/{}", id)`.
3. The template extends `page.html` and fills the blocks `title`, `crumbs` and `content`; `parts.html` has the parts
   (`ui.panel` shows its requests as curl, and refusals in place of its content; each part says how it is used). With
   `page.show(…, live=True)` the page fetches and morphs itself every two seconds: give what repeats an id, and forms
   `hx-morph-skip`.
4. A form posts with `{{ ui.form_token() }}` in it; the route reads `page.form`, calls `await page.send("POST", …)` and
   ends with `page.go("/console/…", "what was done")`.
5. What it shows gets a line in `links.py`, so that ids lead to it, and the page one in `links.NAVIGATION`.
"""

from orchestrator.console.routes import router
from orchestrator.console.sessions import Sessions

__all__ = ["Sessions", "router"]
