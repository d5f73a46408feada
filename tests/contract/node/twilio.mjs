// Runs calls of the official Node SDK: one JSON line in, one JSON line out.
//
// In:  {"origin", "username", "password", "api", "steps"}; the steps start at the API, ["conversations", "v2"] for
//      instance, or at the package itself when there is no origin. A string is a property, an array the arguments of
//      the function reached so far: ["configurations", ["conv_configuration_…"], "fetch", []].
// Out: {"value", "requested", "answered"} or {"error", "requested", "answered"}.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import twilio from "twilio";

const require = createRequire(import.meta.url);
const REST = "twilio/lib/rest";

/** The SDK's own HTTP client; all it changes is where requests go. */
class LocalClient extends twilio.RequestClient {
  requested = [];
  answered = [];

  constructor(origin) {
    super();
    this.origin = origin;
  }

  async request(options) {
    const url = new URL(options.uri);
    this.requested.push(`${options.method.toUpperCase()} ${url.pathname}`);
    const answer = await super.request({ ...options, uri: options.uri.replace(url.origin, this.origin) });
    this.answered.push(answer.statusCode);
    return answer;
  }
}

/** `each` tells its callback; here it returns what it told. */
async function collected(each, owner, parameters) {
  const items = [];
  const answer = await each.call(owner, { ...parameters, callback: (item) => items.push(item) });
  return answer === undefined ? items : { ...answer, body: items };
}

async function evaluate(value, steps) {
  let owner;
  for (const [position, step] of steps.entries()) {
    if (typeof step === "string") {
      [owner, value] = [value, value[step]];
    } else if (String(steps[position - 1]).startsWith("each")) {
      value = await collected(value, owner, ...step);
    } else {
      value = await value.apply(owner, step);
    }
  }
  return value;
}

function functions(object) {
  return Object.getOwnPropertyNames(object).filter(
    (name) => typeof Object.getOwnPropertyDescriptor(object, name).value === "function",
  );
}

/** The public methods of the SDK for an API, as `resources-Level-method`; the resources as the client calls them. */
function methods(product, version) {
  const folder = join(dirname(require.resolve(`${REST}/Twilio`)), product, version);
  const accessors = Object.getOwnPropertyNames(
    require(join(folder, "..", version.toUpperCase())).default.prototype,
  );
  const files = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return files.flatMap((file) => {
    const resource = file.replace(".js", "");
    const plural = [resource, `${resource}s`, resource.replace(/y$/, "ies")].find((one) => accessors.includes(one));
    const name = resource[0].toUpperCase() + resource.slice(1);
    const module = require(join(folder, file));
    const paging = { each() {}, eachWithHttpInfo() {}, list() {}, listWithHttpInfo() {} };
    const levels = {
      List: module[`${name}ListInstance`](paging, "id", "id", "id"),
      Context: module[`${name}ContextImpl`]?.prototype ?? {},
      Instance: module[`${name}Instance`].prototype,
    };
    return Object.entries(levels).flatMap(([level, object]) =>
      functions(object).map((method) => `${plural}-${level}-${method}`),
    );
  });
}

function fields(error) {
  const { name, message, status, code, moreInfo, details } = error;
  return { kind: error.constructor.name, name, message, status, code, moreInfo, details };
}

async function answer({ origin, username, password, api, steps }) {
  const httpClient = new LocalClient(origin);
  const root = origin ? twilio(username, password, { httpClient })[api[0]][api[1]] : { ...twilio, methods };
  const { requested, answered } = httpClient;
  try {
    return { value: await evaluate(root, steps), requested, answered };
  } catch (error) {
    return { error: fields(error), requested, answered };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
process.exit(0); // connections that are kept open would hold it
