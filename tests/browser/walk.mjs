// Walks through the console as somebody does on the first day, in a real browser; then judges each page with axe.
// Reads what it needs as JSON from standard input and writes what it saw as JSON to standard output.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const given = JSON.parse(await text(process.stdin));
const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const CUSTOMER = "+15551234567", OTHER_PHONE = "+15559876543", OURS = "+16505550199";
const seen = { steps: [], troubles: [], violations: [], pages: [] };

const browser = await chromium.launch({
  executablePath: given.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce" });
context.setDefaultTimeout(10_000);
const page = await context.newPage();
page.on("pageerror", (error) => seen.troubles.push(`${page.url()}: ${error.message}`));
let isDown = false;
page.on("console", (message) => message.type() === "error" && !isDown && seen.troubles.push(`${page.url()}: ${message.text()}`));
page.on("request", (request) => {
  const { origin } = new URL(request.url());
  if (origin !== given.origin && !request.url().startsWith("data:")) seen.troubles.push(`asked elsewhere: ${request.url()}`);
});

const go = (path) => page.goto(given.origin + path);
const panel = (name) => page.getByRole("region", { name, exact: true });
// Only where they are asked for: a browser on a busy machine may draw no frame for seconds, and no step depends on one.
const picture = async (name) => {
  if (given.pictures) await page.screenshot({ path: `${given.pictures}/${name}.png`, timeout: 30_000 });
};
const step = async (name, walk) => {
  process.stderr.write(`${name}\n`);
  await walk();
  seen.steps.push(name);
};

async function send(from, to, words) {
  await go(`/console/phones?channel=SMS&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`);
  await page.getByLabel(`Message to ${to}`).fill(words);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await panel("Where it landed").getByText("Captured by rule").waitFor();
}

async function turn(by) {
  await page.getByText("Turn", { exact: true }).click();
  await page.getByLabel("By", { exact: true }).fill(by);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { name: "Conversations that moved on" }).waitFor();
}

async function walk() {
  let conversation, survivor, delivery;
  await step("logs in", async () => {
    await go("/console");
    await page.getByLabel("Account SID or API key SID").fill(given.username);
    await page.getByLabel("Auth token or secret").fill(given.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await panel("Begin: make a configuration").waitFor();
    await picture("first-start");
  });
  await step("makes a configuration", async () => {
    await go("/console/configurations/new");
    const form = panel("With a form");
    await form.getByLabel("Name", { exact: true }).fill("Support");
    await form.getByLabel("Description", { exact: true }).fill("What customers write and say");
    await form.getByRole("radio", { name: /GROUP_BY_PROFILE/ }).check();
    await form.getByLabel("Memory store", { exact: true }).fill(given.store);
    await form.getByLabel("Your numbers", { exact: true }).fill(OURS);
    const sms = form.locator('input[name="on.SMS"]');
    await sms.check();
    await form.locator('input[name="inactive.SMS"]').fill("10");
    await form.locator('input[name="closed.SMS"]').fill("60");
    await form.getByLabel("URL 1").fill(given.callback);
    await form.getByRole("button", { name: "Create it" }).click();
    await page.getByRole("heading", { level: 1, name: "Support" }).waitFor();
    await picture("configuration");
  });
  await step("sends an SMS from a fake phone and sees where it lands, and why", async () => {
    await send(CUSTOMER, OURS, "Where is my parcel?");
    await panel("Where it landed").getByText("no open one held this key").waitFor();
    await picture("phone");
    conversation = await panel("Where it landed").locator("a.id").first().getAttribute("href");
  });
  await step("sees it on the timeline", async () => {
    await go(conversation);
    await panel("Timeline").getByText("Where is my parcel?").waitFor();
    await page.getByText("Why here?").first().click();
    await panel("Timeline").getByText("Captured by rule").waitFor();
    await picture("conversation");
  });
  await step("sees what was sent meanwhile without loading the page again", async () => {
    const answer = await fetch(`${given.origin}/2010-04-01/Accounts/${given.username}/Messages.json`, {
      method: "POST",
      headers: { Authorization: `Basic ${btoa(`${given.username}:${given.password}`)}` },
      body: new URLSearchParams({ From: OURS, To: CUSTOMER, Body: "It is on its way." }),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status !== 201) throw new Error(`the message was not sent: ${await answer.text()}`);
    await panel("Timeline").getByText("It is on its way.").waitFor();
  });
  await step("is told when the service fails, and keeps the page", async () => {
    isDown = true;
    await page.route("**/console/conversations/*", (route) => route.fulfill({ status: 503, contentType: "text/html", body: "<main>down</main>" }));
    await page.getByText("The service does not answer now.").waitFor();
    await panel("Timeline").getByText("It is on its way.").waitFor();
    await page.unroute("**/console/conversations/*");
    await page.getByText("The service does not answer now.").waitFor({ state: "detached" });
    isDown = false;
  });
  await step("turns the clock and sees it go INACTIVE and CLOSED", async () => {
    await turn("11m");
    await page.getByText("INACTIVE").first().waitFor();
    await turn("50m");
    await page.getByText("CLOSED").first().waitFor();
    await picture("clock");
    await go(conversation);
    await panel("What it is").getByText("CLOSED").waitFor();
    await panel("Timeline").getByText("INACTIVE").first().waitFor();
  });
  await step("sees the callbacks, and redelivers one", async () => {
    await go("/console/deliveries");
    const rows = page.getByRole("row").filter({ hasText: "DELIVERED" });
    await rows.first().waitFor();
    await picture("deliveries");
    await rows.first().getByRole("button", { name: "Redeliver" }).click();
    await page.getByText("made again 1×").or(page.getByText("once more 1×")).first().waitFor();
    delivery = new URL(page.url()).pathname;
  });
  await step("merges two profiles, and undoes it", async () => {
    await send(OTHER_PHONE, OURS, "It is me, from my other phone.");
    const store = `/console/stores/${given.store}`;
    await go(`${store}?idType=phone&value=${encodeURIComponent(CUSTOMER)}`);
    survivor = await page.locator("td a.id").first().getAttribute("href");
    await go(survivor);
    await page.getByRole("link", { name: "Merge another profile with this one…" }).click();
    await page.getByLabel("The other").fill(OTHER_PHONE);
    await page.getByRole("button", { name: "Show what would happen" }).click();
    await picture("merge");
    await page.getByRole("button", { name: "Merge them" }).click();
    await go(survivor);
    await panel("Identifiers").locator("code", { hasText: OTHER_PHONE }).waitFor();
    await page.getByRole("link", { name: "Undo…" }).click();
    await picture("undo");
    await page.getByRole("button", { name: "Undo it" }).click();
    await page.getByText("UNDONE").first().waitFor();
    await go(survivor);
    await panel("Merges").getByText("UNDONE").waitFor();
    if (await panel("Identifiers").locator("code", { hasText: OTHER_PHONE }).count()) throw new Error("the identifier did not go back");
  });
  await step("finds it all again", async () => {
    await page.getByRole("searchbox").fill("parcel");
    await page.keyboard.press("Enter");
    await page.getByText("Where is my parcel?").first().waitFor();
    await picture("search");
  });
  return { conversation, survivor, delivery };
}

async function judge(path, width, theme) {
  await page.setViewportSize({ width, height: 860 });
  await page.emulateMedia({ colorScheme: theme });
  await go(path);
  const found = await page.evaluate(`${axe}; axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] })`);
  const wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
  const where = `${path} at ${width} px, ${theme}`;
  if (wide) seen.violations.push(`${where}: scrolls sideways`);
  for (const one of found.violations.filter((each) => ["serious", "critical"].includes(each.impact))) {
    seen.violations.push(`${where}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }
  seen.pages.push(path);
}

try {
  const { conversation, survivor, delivery } = await walk();
  const links = await page.evaluate("[...document.querySelectorAll('header nav a')].map((one) => one.getAttribute('href'))");
  const paths = [...new Set([...links, "/console/endpoints", "/console/uncaptured", "/console/explain", "/console/events/1", delivery, conversation, survivor])];
  for (const [position, path] of paths.entries()) {
    // Each page once, one half of them dark and narrow: every rule of the style sheet is judged.
    await judge(path, position % 2 ? 390 : 1280, position % 2 ? "dark" : "light");
  }
  await picture("dark-and-narrow");
} catch (error) {
  seen.troubles.push(`${page.url()}: ${error.message}`);
  await page.screenshot({ path: given.failure }).catch(() => undefined);
}
// The browser ends with this process, also one that would no longer close by itself.
process.stdout.write(JSON.stringify(seen), () => process.exit());
