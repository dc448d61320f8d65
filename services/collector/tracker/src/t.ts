// The tracker: <script async src="https://collect.example/t.js" data-key="pk_…" data-pool="site" data-consent="required"></script>
//
// It sets one first-party cookie, reports a visit at its beginning, and offers throughline.identify, throughline.form and
// throughline.consent. With Global Privacy Control, or without a consent that is required, it keeps nothing and sends nothing.
import { decorate } from "./links";
import * as numbers from "./numbers";
import * as queue from "./queue";
import { forget, random, read, remove, visitor, write } from "./store";

type Identities = Record<string, string | string[]>;
type Visit = { seen: number; campaign: string };

const visitKey = "_tls";
const silence = 30 * 60 * 1000; // ms after which the next sign of life is a new visit
const clicks = ["gclid", "wbraid", "gbraid", "yclid", "msclkid", "ttclid", "rb_clickid", "fbclid"];

const script = document.currentScript as HTMLScriptElement;
const { key = "", pool = "", consent = "" } = script.dataset;
const base = new URL(script.src).origin + "/v1/";
const declined = !!(navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl;

let id = ""; // the visitor's, once tracking has begun
let page = "";
let before = document.referrer;

function send(type: string, body: object | null, identities?: Identities): void {
  const item: Record<string, unknown> = {
    id: random(), type, source: "site", time: new Date().toISOString(),
    identities: Object.assign({}, identities, { anonymous_id: id }),
  };
  if (body) item[type] = body;
  queue.push(item as { id: string });
}

/** campaign is what of an address says that an advertisement brought the visitor. */
function campaign(url: URL): string {
  const out: string[] = [];
  url.searchParams.forEach((value, name) => {
    if (value && (name.slice(0, 4) === "utm_" || clicks.indexOf(name) >= 0)) out.push(name + "=" + value);
  });
  return out.sort().join("&");
}

/** look is called for every page that is shown and every sign of life: it begins a visit where one begins. */
function look(): void {
  const now = Date.now();
  const last = read<Visit>(visitKey, { seen: 0, campaign: "" });
  const from = campaign(new URL(location.href));
  const turned = page !== location.href;
  const fresh = now - last.seen > silence || (turned && from !== "" && from !== last.campaign);
  write(visitKey, { seen: now, campaign: fresh ? from : last.campaign });
  if (fresh) send("visit", { url: location.href, referrer: before, title: document.title });
  if (turned) {
    before = page = location.href;
    dress();
  }
}

function dress(): void {
  decorate(id);
  numbers.swap(base + "numbers/lease?key=" + encodeURIComponent(key), id, pool);
}

function awake(): void {
  if (id && document.visibilityState === "visible") look();
}

let signs = 0;
function alive(): void {
  if (id && Date.now() - signs > 60000) {
    signs = Date.now();
    look();
  }
}

/** listen watches single-page sites turn their pages, and visitors come back. */
function listen(): void {
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...args: Parameters<History["pushState"]>) {
      original.apply(this, args);
      if (id) setTimeout(look); // once the page has changed what it shows
    };
  }
  addEventListener("popstate", () => id && setTimeout(look));
  addEventListener("pageshow", awake);
  addEventListener("visibilitychange", awake);
  for (const name of ["click", "keydown", "scroll"]) addEventListener(name, alive, { passive: true, capture: true });
}

let listening = false;

function begin(): void {
  if (declined || id || !key) return;
  id = visitor();
  queue.start(base + "t?key=" + encodeURIComponent(key));
  if (!listening) {
    listening = true;
    listen();
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", dress);
  look();
}

function end(): void {
  id = page = "";
  queue.stop();
  numbers.stop();
  remove(visitKey);
  forget();
}

const api = {
  /** identify joins the visitor with what he told: identify({email: "…", phone: "…"}). */
  identify(identities: Identities): void {
    if (id) send("identify", null, identities);
  },
  /** form reports a form that was sent, with what the visitor told in it. */
  form(form: string, identities?: Identities): void {
    if (id) send("form", { form_id: form, url: location.href }, identities);
  },
  /** consent begins or ends tracking; refused, the cookie and all that was kept go. */
  consent(given: boolean): void {
    if (given) begin();
    else end();
  },
  /** visitor is the visitor's id, empty while nobody is tracked. */
  visitor: (): string => id,
  /** refresh looks for new numbers and links on a page that changed. */
  refresh(): void {
    if (id) dress();
  },
};

(window as unknown as { throughline: typeof api }).throughline = api;
if (consent !== "required") begin();
