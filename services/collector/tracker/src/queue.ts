import { read, remove, write } from "./store";

// An event stays in local storage until the collector has acknowledged it; it has its id before it is sent, so sending it twice counts
// once. What is left when the page goes is sent as a beacon, which tells nobody whether it arrived, and again by the next page.

export const queueKey = "_tlq";
const most = 50; // events kept; beyond it the oldest goes
const firstPause = 1000; // ms
const lastPause = 60000;

type Item = { id: string };

let endpoint = "";
let sending = false;
let pause = firstPause;
let timer = 0;

export function start(url: string): void {
  endpoint = url;
  addEventListener("pagehide", beacon);
  addEventListener("online", flush);
  flush();
}

export function stop(): void {
  endpoint = "";
  clearTimeout(timer);
  removeEventListener("pagehide", beacon);
  removeEventListener("online", flush);
  remove(queueKey);
}

export function push(item: Item): void {
  write(queueKey, waiting().concat(item).slice(-most));
  flush();
}

function waiting(): Item[] {
  return read<Item[]>(queueKey, []);
}

function flush(): void {
  const items = waiting();
  if (!endpoint || sending || !items.length) return;
  sending = true;
  clearTimeout(timer);
  fetch(endpoint, { method: "POST", body: JSON.stringify(items), keepalive: true, credentials: "omit" })
    .then(
      (answer) => answer.ok || (answer.status < 500 && answer.status !== 408 && answer.status !== 429),
      () => false,
    )
    .then((done) => {
      sending = false;
      if (!done) {
        timer = window.setTimeout(flush, pause);
        pause = Math.min(pause * 2, lastPause);
        return;
      }
      pause = firstPause;
      const sent = new Set(items.map((item) => item.id));
      write(queueKey, waiting().filter((item) => !sent.has(item.id)));
      flush(); // what came meanwhile
    });
}

function beacon(): void {
  const items = waiting();
  if (endpoint && items.length && navigator.sendBeacon) navigator.sendBeacon(endpoint, JSON.stringify(items));
}
