package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// lesson is what the stub learns of one sample: which requests its definition makes, and what was answered.
type lesson struct {
	s      *stubVendor
	v      *shipped
	sample *sources.Sample
	// read is that of a pull, whose last request is its items.
	read *items.Format
	// into takes the answers, where there is none yet; must those that somebody has to ask for.
	into, must map[string][]byte
	// blank leaves the items out of answers.
	blank bool
}

// pulls are all that a pull might ask for in these days: its accounts and windows, with the first cursor.
func (l *lesson) pulls(i *sources.Instance, e *sources.Entry, vars *mapping.Variables) (list []*mapping.Variables) {
	ctx := l.s.t.Context()
	accounts := []any{nil}
	if account := l.sample.Account; account != nil && !l.blank {
		accounts[0] = account
	} else if p := e.Pull.ForEachProgram; p != nil {
		var err error
		if accounts, err = p.Run(ctx, nil, vars); err != nil {
			l.s.t.Fatal(err)
		}
	}
	windows := []any{nil}
	if w := e.Pull.Window; w != nil {
		windows = nil
		now := time.Now()
		for from := -w.Days - 2; from <= 1; from++ {
			for to := from; to <= 1; to++ {
				windows = append(windows, map[string]any{"from": now.AddDate(0, 0, from).Format(time.DateOnly), "to": now.AddDate(0, 0, to).Format(time.DateOnly)})
			}
		}
	}
	for _, account := range accounts {
		for _, window := range windows {
			with := *vars
			with.Account, with.Window = account, window
			if c := e.Pull.Cursor; c != nil {
				cursor, err := sources.One(ctx, c.FirstProgram, nil, &with)
				if err != nil {
					l.s.t.Fatal(err)
				}
				with.Cursor = cursor
			}
			list = append(list, &with)
		}
	}
	return list
}

// requests learns the answers to a sample's requests, page by page, and behind the last page an empty one.
func (l *lesson) requests(list []sources.Request, in any, vars *mapping.Variables) {
	ctx := l.s.t.Context()
	with, known := *vars, map[string]any{}
	for n := range list {
		r := &list[n]
		format := r.Format
		if l.read != nil && n == len(list)-1 {
			format = l.read
		}
		with.Responses = known
		var pages []io.Reader
		page := map[string]any{"number": 0, "offset": 0, "cursor": nil, "url": nil, "size": nil}
		if r.Pages != nil {
			page["number"], page["offset"], page["size"] = r.Pages.First, r.Pages.First, r.Pages.Size
		}
		bodies := l.bodies(r, format)
		for k, body := range bodies {
			with.Page = page
			call, err := r.Call(ctx, in, &with)
			if err != nil {
				l.s.t.Fatalf("%s: %s: %v", l.sample.Name(), r.Name, err)
			}
			if call == nil {
				break
			}
			if l.blank {
				body = emptied(body, format)
			}
			real := r.Pages == nil || k < len(bodies)-1
			l.answer(call, body, real)
			if real {
				pages = append(pages, bytes.NewReader(body))
			}
			page = l.next(r, page, body, format, &with)
		}
		if len(pages) > 0 {
			if value, err := r.Response(pages...); err == nil {
				known[r.Name] = value
			}
		}
	}
}

// bodies are the files of a sample's answer, and for a request with pages an empty one behind them.
func (l *lesson) bodies(r *sources.Request, format *items.Format) (list [][]byte) {
	files := l.sample.Responses[r.Name]
	if len(files) == 0 && l.read != nil && l.sample.Body != "" {
		files = []string{l.sample.Body} // of a pull's last request
	}
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join("../../pipelines/sources", l.v.Name, "samples", file))
		if err != nil {
			l.s.t.Fatal(err)
		}
		list = append(list, b)
	}
	if len(list) > 0 && r.Pages != nil {
		list = append(list, emptied(list[len(list)-1], format))
	}
	return list
}

func (l *lesson) next(r *sources.Request, page map[string]any, body []byte, format *items.Format, vars *mapping.Variables) map[string]any {
	out := map[string]any{"number": 0, "offset": 0, "cursor": nil, "url": nil, "size": page["size"]}
	if r.Pages == nil {
		return out
	}
	number, _ := page["number"].(int)
	offset, _ := page["offset"].(int)
	count := 0
	for range format.Read(items.Input{Body: bytes.NewReader(body), Limits: items.File}) {
		count++
	}
	out["number"], out["offset"] = number+1, offset+count
	if p := r.Programs.Next; p != nil {
		value, err := mapping.Plain(json.RawMessage(body))
		if err == nil {
			out["cursor"], err = sources.One(l.s.t.Context(), p, value, vars)
		}
		if err != nil {
			l.s.t.Fatalf("%s: next: %v", r.Name, err)
		}
	}
	return out
}

func (l *lesson) answer(call *sources.Call, body []byte, must bool) {
	u, err := url.Parse(call.URL)
	if err != nil {
		l.s.t.Fatal(err)
	}
	k := key(call.Method, u, call.Body)
	if _, ok := l.into[k]; !ok {
		l.into[k] = body
	}
	if must && l.must != nil {
		l.must[k] = body
	}
}

// emptied is an answer without its items: of JSON the list that they stand in, of a table nothing at all.
func emptied(body []byte, format *items.Format) []byte {
	var value any
	if format.Format != "json" || json.Unmarshal(body, &value) != nil {
		return nil
	}
	way, _, _ := strings.Cut(strings.TrimPrefix(format.Items, "."), "[]")
	if way == "" {
		return []byte("[]")
	}
	at, _ := value.(map[string]any)
	names := strings.Split(way, ".")
	for _, name := range names[:len(names)-1] {
		at, _ = at[name].(map[string]any)
	}
	if at == nil {
		return body
	}
	at[names[len(names)-1]] = []any{}
	out, err := json.Marshal(value)
	if err != nil {
		return body
	}
	return out
}
