// Elements marked data-throughline-number show a number of the pool that the attribute names (else of the script's data-pool).

type Lease = { number: string; refresh_seconds: number };

let timer = 0;

/** swap asks for a number of each pool that the page shows, and asks again while the page is looked at. */
export function swap(url: string, visitor: string, pool: string): void {
  clearTimeout(timer);
  const wanted = new Map<string, HTMLElement[]>();
  document.querySelectorAll<HTMLElement>("[data-throughline-number]").forEach((element) => {
    const name = element.dataset.throughlineNumber || pool;
    if (name) wanted.set(name, (wanted.get(name) || []).concat(element));
  });
  wanted.forEach((elements, name) => {
    fetch(url, { method: "POST", body: JSON.stringify({ pool: name, anonymous_id: visitor }), credentials: "omit" })
      .then((answer) => (answer.ok ? (answer.json() as Promise<Lease>) : Promise.reject(answer.status)))
      .then((lease) => {
        if (lease.number) elements.forEach((element) => show(element, lease.number));
        again(url, visitor, pool, lease.refresh_seconds);
      })
      .catch(() => again(url, visitor, pool, 30)); // the page's own number stays
  });
}

export function stop(): void {
  clearTimeout(timer);
}

function again(url: string, visitor: string, pool: string, seconds: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    if (document.visibilityState === "visible") swap(url, visitor, pool);
    else again(url, visitor, pool, seconds);
  }, seconds * 1000);
}

/** show writes a number as the page had written its own, where that was international too. */
function show(element: HTMLElement, number: string): void {
  const digits = number.replace(/\D/g, "");
  const link = element.closest("a");
  if (link && link.protocol === "tel:") link.href = "tel:" + number;
  const text = element.textContent || "";
  let i = 0;
  const written =
    text.trim()[0] === "+" && text.replace(/\D/g, "").length === digits.length ? text.replace(/\d/g, () => digits[i++]) : number;
  if (text !== written && element.dataset.throughlineText !== "keep") element.textContent = written;
}
