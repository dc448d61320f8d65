// Links to messengers carry a_<visitor>, so that the conversation joins the visit.

export function decorate(visitor: string): void {
  const ref = "a_" + visitor;
  document.querySelectorAll<HTMLAnchorElement>("a[href]").forEach((link) => {
    const host = link.hostname.replace(/^www\./, "");
    if (host === "t.me" || host === "telegram.me") set(link, "start", ref);
    else if (host === "m.me") set(link, "ref", ref);
    else if (link.protocol === "viber:") set(link, "context", ref);
    else if (host === "wa.me" || host === "api.whatsapp.com") {
      const text = new URL(link.href).searchParams.get("text") || "";
      if (text.indexOf(ref) < 0) set(link, "text", (text + " (" + ref + ")").trim());
    }
  });
}

function set(link: HTMLAnchorElement, name: string, value: string): void {
  const url = new URL(link.href);
  if (url.searchParams.get(name) === value) return;
  url.searchParams.set(name, value);
  link.href = url.href;
}
