// Drives a real browser over a site with the tracker on it, and prints what it saw as JSON. The end-to-end test starts it:
//
//   SITE=http://127.0.0.1:1234 COLLECTOR=http://127.0.0.1:5678 CHROMIUM=/usr/bin/chromium node drive.mjs
import { chromium } from "playwright-core";

const { SITE: site, COLLECTOR: collector, CHROMIUM: executablePath } = process.env;
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-agent=" + userAgent],
});
const seen = {};

/** visitor is a person with a browser of his own; requests are those that went to the collector beside its script. */
async function visitor(name, work, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15000);
  const requests = [];
  context.on("request", (r) => {
    if (r.url().startsWith(collector) && !r.url().endsWith("/t.js")) requests.push(r.method() + " " + new URL(r.url()).pathname);
  });
  const cookies = async () => (await context.cookies()).map(({ name, sameSite, secure, expires }) => ({ name, sameSite, secure, days: expires < 0 ? 0 : Math.round((expires - Date.now() / 1000) / 86400) }));
  seen[name] = await work(context, requests, cookies);
  await context.close();
}

const open = async (context, path) => {
  const page = await context.newPage();
  await page.goto(site + path, { waitUntil: "load" });
  return page;
};
const sent = (page) => page.waitForFunction(() => !JSON.parse(localStorage.getItem("_tlq") || "[]").length);
const tracked = (page) => page.waitForFunction(() => window.throughline && window.throughline.visitor());

await visitor("buyer", async (context, requests, cookies) => {
  const page = await open(context, "/?utm_source=google&utm_medium=cpc&utm_campaign=first-click");
  await page.waitForFunction(() => document.querySelector("#phone").textContent.startsWith("+48 22 111"));
  const id = await page.evaluate(() => window.throughline.visitor());
  const links = await page.$$eval("a", (all) => Object.fromEntries(all.map((a) => [a.id, a.href])));
  await page.fill("#email", "buyer@example.com");
  await page.click("#send");
  await sent(page);
  return { id, links, phone: await page.textContent("#phone"), call: await page.getAttribute("#call", "href"), cookies: await cookies() };
});

await visitor("refused", async (context, requests, cookies) => {
  const page = await open(context, "/consent?utm_source=google&utm_medium=cpc&utm_campaign=refused");
  await page.waitForFunction(() => window.throughline);
  await page.evaluate(() => { throughline.form("x", { email: "never@example.com" }); throughline.consent(false); });
  await page.reload({ waitUntil: "load" });
  await page.evaluate(() => history.pushState({}, "", "/consent?utm_source=bing&utm_medium=cpc&utm_campaign=refused"));
  await page.click("#phone");
  return { requests, cookies: await cookies(), kept: await page.evaluate(() => Object.keys(localStorage)) };
});

await visitor("consented", async (context, requests, cookies) => {
  const page = await open(context, "/consent?utm_source=google&utm_medium=cpc&utm_campaign=consented");
  await page.waitForFunction(() => window.throughline);
  const before = (await cookies()).length + requests.length;
  await page.evaluate(() => throughline.consent(true));
  await sent(page);
  const during = (await cookies()).length;
  await page.evaluate(() => throughline.consent(false));
  return { before, during, after: (await cookies()).length, kept: await page.evaluate(() => Object.keys(localStorage)) };
});

await visitor("private", async (context, requests, cookies) => {
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  const page = await open(context, "/?utm_source=google&utm_medium=cpc&utm_campaign=private");
  await page.waitForFunction(() => window.throughline);
  await page.evaluate(() => throughline.consent(true));
  return { requests, cookies: await cookies(), id: await page.evaluate(() => throughline.visitor()) };
});

await visitor("tabs", async (context) => {
  const first = await open(context, "/?utm_source=google&utm_medium=cpc&utm_campaign=tabs");
  await sent(first);
  const second = await open(context, "/other");
  await tracked(second);
  await second.goto(site + "/?page=3", { waitUntil: "load" });
  await second.goBack({ waitUntil: "load" });
  await tracked(second);
  const ids = [await first.evaluate(() => throughline.visitor()), await second.evaluate(() => throughline.visitor())];
  // A single-page site turns its pages: only what an advertisement brought is a new visit.
  await second.evaluate(() => history.pushState({}, "", "/other?page=2"));
  await second.evaluate(() => new Promise((done) => setTimeout(done)));
  await second.evaluate(() => history.pushState({}, "", "/other?utm_source=newsletter&utm_medium=email&utm_campaign=tabs-again"));
  await second.waitForFunction(() => JSON.parse(localStorage.getItem("_tls")).campaign.includes("tabs-again"));
  await sent(second);
  // Half an hour of silence ends a visit.
  await second.evaluate(() => localStorage.setItem("_tls", JSON.stringify({ seen: Date.now() - 31 * 60000, campaign: "" })));
  await second.goto(site + "/other?utm_source=google&utm_medium=cpc&utm_campaign=tabs", { waitUntil: "load" });
  await sent(second);
  return { same: ids[0] === ids[1] };
});

await visitor("blocked", async (context) => {
  await context.route(collector + "/v1/t*", (route) => route.abort());
  const page = await open(context, "/?utm_source=google&utm_medium=cpc&utm_campaign=blocked");
  await page.waitForFunction(() => JSON.parse(localStorage.getItem("_tlq") || "[]").length === 1);
  await page.waitForFunction(() => performance.getEntriesByType("resource").some((e) => e.name.includes("/v1/t?")));
  const kept = await page.evaluate(() => JSON.parse(localStorage.getItem("_tlq")).length);
  await context.unroute(collector + "/v1/t*");
  await page.reload({ waitUntil: "load" });
  await sent(page);
  return { kept };
});

await visitor("bot", async (context) => {
  const page = await open(context, "/?utm_source=google&utm_medium=cpc&utm_campaign=bot");
  await tracked(page);
  await sent(page);
  return { phone: await page.textContent("#phone") };
}, { userAgent: "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/140.0.0.0 Safari/537.36" });

await browser.close();
console.log(JSON.stringify(seen));
