// What is kept in the browser: the visitor's id in a first-party cookie, the visit and what was not acknowledged yet in local storage.

const visitorCookie = "_tl";
const cookieAge = 2 * 365 * 24 * 3600; // seconds

/** read is the value of a key in local storage; a browser that has none, or refuses, keeps nothing. */
export function read<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(key);
    return text ? (JSON.parse(text) as T) : otherwise;
  } catch {
    return otherwise;
  }
}

export function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: this page still works, the next one begins anew.
  }
}

export function remove(...keys: string[]): void {
  for (const key of keys) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing is kept where storage is forbidden.
    }
  }
}

/** random is 128 bits as letters and digits: no other character, since messengers take no other in a deep link. */
export function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => (b + 256).toString(16).slice(1)).join("");
}

function cookie(): string {
  const found = document.cookie.match(/(?:^|; )_tl=([\w-]{1,62})(?:;|$)/);
  return found ? found[1] : "";
}

function setCookie(value: string, age: number, domain: string): void {
  document.cookie =
    `${visitorCookie}=${value}; Path=/; Max-Age=${age}; SameSite=Lax` +
    (domain ? `; Domain=${domain}` : "") +
    (location.protocol === "https:" ? "; Secure" : "");
}

/** visitor is the cookie's id, or a new one: on the widest domain that the browser allows, so that subdomains share it. */
export function visitor(): string {
  const id = cookie() || random();
  const parts = location.hostname.split(".");
  for (let i = parts.length - 2; i >= 0; i--) {
    setCookie(id, cookieAge, parts.slice(i).join("."));
    if (cookie() === id) return id;
  }
  setCookie(id, cookieAge, "");
  return id;
}

export function forget(): void {
  const parts = location.hostname.split(".");
  setCookie("", 0, "");
  for (let i = parts.length - 2; i >= 0; i--) setCookie("", 0, parts.slice(i).join("."));
}
