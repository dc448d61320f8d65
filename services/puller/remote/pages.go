package remote

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Pages asks for a request's pages one by one and hands each to do, which says how many items it has. Nothing is handed over where the
// request is left out or the vendor has nothing. V is not changed; do sees it with $page of its page.
func (a *Asker) Pages(ctx context.Context, r *sources.Request, in any, v *mapping.Variables, do func(*Body, *mapping.Variables) (int, error)) error {
	at := newPlace(r.Pages)
	for n := 0; ; n++ {
		if r.Pages != nil && n >= r.Pages.Most {
			return &Failure{Reason: TooMany, Err: fmt.Errorf("request %s: more than %d pages (most)", r.Name, r.Pages.Most)}
		}
		with := *v
		with.Page = at.value()
		call, err := r.Call(ctx, in, &with)
		if err != nil {
			return wrong(r, "request", err)
		}
		if call == nil {
			return nil
		}
		body, err := a.answer(ctx, r, call, &with)
		if err != nil {
			return err
		}
		more, err := a.page(ctx, r, call, body, &with, at, do)
		body.Close()
		if err != nil || !more {
			return err
		}
	}
}

// page hands one over and says whether there is another.
func (a *Asker) page(
	ctx context.Context, r *sources.Request, call *sources.Call, body *Body, v *mapping.Variables, at *place, do func(*Body, *mapping.Variables) (int, error),
) (bool, error) {
	for _, status := range r.Absent {
		if body.status == status {
			return false, nil
		}
	}
	count, err := do(body, v)
	if err != nil || r.Pages == nil {
		return false, err
	}
	return at.next(ctx, r, call, body, v, count)
}

// Response is what $responses holds of a request: null where it is left out or the vendor has nothing.
func (a *Asker) Response(ctx context.Context, r *sources.Request, in any, v *mapping.Variables) (any, error) {
	var (
		out  []any
		size int64
		one  any
		any1 bool
	)
	err := a.Pages(ctx, r, in, v, func(b *Body, _ *mapping.Variables) (int, error) {
		if size += b.size; size > MaxResponseBytes {
			return 0, &Failure{Reason: TooLarge, Err: fmt.Errorf("request %s: more than %d bytes in all its pages", r.Name, MaxResponseBytes)}
		}
		in, err := b.Reader()
		if err != nil {
			return 0, unreadable(r, err)
		}
		value, err := r.Response(in)
		if err != nil {
			return 0, unreadable(r, err)
		}
		any1 = true
		list, isList := value.([]any)
		if !isList || r.Pages == nil {
			one = value
			return 1, nil
		}
		out = append(out, list...)
		return len(list), nil
	})
	if err != nil || !any1 {
		return nil, err
	}
	if r.Pages != nil {
		return orEmpty(out), nil
	}
	return one, nil
}

func orEmpty(list []any) any {
	if list == nil {
		return []any{}
	}
	return list
}

// Items reads a page's items.
func (b *Body) Items(f *items.Format, name string, do func(items.Item, error) error) (n int, err error) {
	var in io.Reader
	if in, err = b.Reader(); err != nil {
		return 0, err
	}
	for item, fault := range f.Read(items.Input{Body: in, File: name, Limits: items.File, ContentType: b.header.Get("Content-Type")}) {
		n++
		if err := do(item, fault); err != nil {
			return n, err
		}
	}
	return n, nil
}

// place is where among the pages we are.
type place struct {
	pages          *sources.Pages
	number, offset int
	cursor         any
	url            string
	seen           map[string]bool
}

func newPlace(p *sources.Pages) *place {
	at := &place{pages: p, seen: map[string]bool{}}
	if p != nil {
		at.number, at.offset = p.First, p.First
	}
	return at
}

// value is $page.
func (p *place) value() any {
	if p.pages == nil {
		return nil
	}
	v := map[string]any{"number": p.number, "offset": p.offset, "cursor": p.cursor, "url": nil, "size": p.pages.Size}
	if p.url != "" {
		v["url"] = p.url
	}
	return v
}

// next moves on to the next page, if there is one.
func (p *place) next(ctx context.Context, r *sources.Request, call *sources.Call, body *Body, v *mapping.Variables, count int) (bool, error) {
	var value any
	if r.Programs.Next != nil || r.Programs.More != nil {
		var err error
		if value, err = body.Value(); err != nil {
			return false, unreadable(r, err)
		}
	}
	switch p.pages.Kind {
	case "cursor", "link":
		return p.follow(ctx, r, call, body, value, v)
	default:
		more := count > 0 && count >= p.pages.Size
		if r.Programs.More != nil {
			said, err := sources.One(ctx, r.Programs.More, value, v)
			if err != nil {
				return false, wrong(r, "more", err)
			}
			more = said != nil && said != false
		}
		if more && count == 0 && p.pages.Kind == "offset" {
			return false, &Failure{Reason: TooMany, Err: fmt.Errorf("request %s: an empty page says that there is more", r.Name)}
		}
		p.number++
		p.offset += count
		return more, nil
	}
}

// follow takes the next cursor or address of an answer. One that was there before would go round for ever.
func (p *place) follow(ctx context.Context, r *sources.Request, call *sources.Call, body *Body, value any, v *mapping.Variables) (bool, error) {
	var next any
	if r.Programs.Next != nil {
		var err error
		if next, err = sources.One(ctx, r.Programs.Next, value, v); err != nil {
			return false, wrong(r, "next", err)
		}
	} else if link := nextLink(body.header); link != "" {
		next = link
	}
	if next == nil || next == false || next == "" {
		return false, nil
	}
	text := fmt.Sprint(next)
	if p.seen[text] {
		return false, &Failure{Reason: TooMany, Err: fmt.Errorf("request %s: the same next page came twice", r.Name)}
	}
	p.seen[text] = true
	p.number++
	if p.pages.Kind == "cursor" {
		p.cursor = next
		return true, nil
	}
	base, err := url.Parse(call.URL)
	if err != nil {
		return false, wrong(r, "url", err)
	}
	to, err := base.Parse(text)
	if err != nil {
		return false, &Failure{Reason: Elsewhere, Err: fmt.Errorf("request %s: the next page's address is none", r.Name)}
	}
	p.url = to.String()
	return true, nil
}

var (
	linkForm = regexp.MustCompile(`<([^>]*)>([^<]*)`)
	relNext  = regexp.MustCompile(`(?i);\s*rel\s*=\s*"?([^";]*\s)?next(\s[^";]*)?"?\s*(;|,|$)`)
)

// nextLink is the address that a Link header gives as the next one.
func nextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for _, link := range linkForm.FindAllStringSubmatch(line, -1) {
			if relNext.MatchString(link[2]) {
				return link[1]
			}
		}
	}
	return ""
}
