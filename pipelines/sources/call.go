package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Call is one request to a vendor as it goes out, but for who we are.
type Call struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

// Call makes the request of its programs; nil where When leaves it out. In is a fetch's item, or nil.
func (r *Request) Call(ctx context.Context, in any, v *mapping.Variables) (*Call, error) {
	if r.Programs.When != nil {
		yes, err := one(ctx, r.Programs.When, in, v)
		if err != nil || yes == nil || yes == false {
			return nil, err
		}
	}
	out, err := one(ctx, r.Programs.Request, in, v)
	if err != nil {
		return nil, err
	}
	object, ok := out.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("request %s: the program gives a %s and no object with url", r.Name, gojq.TypeOf(out))
	}
	return newCall(r.Name, object)
}

// one is the one value that a program gives; nil where it gives none.
func one(ctx context.Context, p *mapping.Program, in any, v *mapping.Variables) (any, error) {
	out, err := p.Run(ctx, in, v)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	if len(out) > 1 {
		return nil, fmt.Errorf("the program gives %d values and not one", len(out))
	}
	return out[0], nil
}

// One is the one value that a program gives; nil where it gives none, or there is no program.
func One(ctx context.Context, p *mapping.Program, in any, v *mapping.Variables) (any, error) {
	if p == nil {
		return nil, nil
	}
	return one(ctx, p, in, v)
}

// callFields are what the object may have.
var callFields = []string{"method", "url", "query", "headers", "json", "form", "body"}

func newCall(name string, o map[string]any) (*Call, error) {
	for field := range o {
		if !slices.Contains(callFields, field) {
			return nil, fmt.Errorf("request %s: %q is none of %v", name, field, callFields)
		}
	}
	c := &Call{Method: http.MethodGet, Header: http.Header{}}
	text, _ := o["url"].(string)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("request %s: url %.200q is no address", name, text)
	}
	if q, err := nested(o["query"]); err != nil {
		return nil, fmt.Errorf("request %s: query: %w", name, err)
	} else if q != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += q
	}
	c.URL = u.String()
	headers, _ := o["headers"].(map[string]any)
	for h, v := range headers {
		if v != nil {
			c.Header.Set(h, scalar(v))
		}
	}
	if err := c.body(o); err != nil {
		return nil, fmt.Errorf("request %s: %w", name, err)
	}
	if m, ok := o["method"].(string); ok {
		c.Method = m
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut}, c.Method) {
		return nil, fmt.Errorf("request %s: method %.40q is none of GET, POST and PUT", name, c.Method)
	}
	return c, nil
}

// body takes one of json, form and body; with any of them the method is POST unless it is said.
func (c *Call) body(o map[string]any) error {
	kinds, contentType := 0, ""
	if v := o["json"]; v != nil {
		b, err := mapping.JSON(v)
		if err != nil {
			return fmt.Errorf("json: %w", err)
		}
		c.Body, contentType, kinds = b, "application/json", kinds+1
	}
	if v := o["form"]; v != nil {
		form, err := nested(v)
		if err != nil {
			return fmt.Errorf("form: %w", err)
		}
		c.Body, contentType, kinds = []byte(form), "application/x-www-form-urlencoded", kinds+1
	}
	if v := o["body"]; v != nil {
		text, ok := v.(string)
		if !ok {
			return errors.New("body: it is no text")
		}
		c.Body, contentType, kinds = []byte(text), "text/plain; charset=utf-8", kinds+1
	}
	if kinds > 1 {
		return errors.New("more than one of json, form and body")
	}
	if kinds == 1 {
		c.Method = http.MethodPost
		if c.Header.Get("Content-Type") == "" {
			c.Header.Set("Content-Type", contentType)
		}
	}
	return nil
}

// nested encodes an object as PHP names fields: filter[OWNER_ID]=1&select[0]=ID.
func nested(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return "", errors.New("it is no object")
	}
	var pairs []string
	var put func(name string, v any)
	put = func(name string, v any) {
		switch v := v.(type) {
		case nil:
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				put(name+"["+k+"]", v[k])
			}
		case []any:
			for i, e := range v {
				put(name+"["+strconv.Itoa(i)+"]", e)
			}
		default:
			pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(scalar(v)))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(object)) {
		put(k, object[k])
	}
	return strings.Join(pairs, "&"), nil
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	b, err := mapping.JSON(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// May reports that an address is one of the hosts that a source may ask.
func (i *Instance) May(r *Remote, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%.200q is no address", address)
	}
	for _, h := range r.Hosts {
		if name, ok := strings.CutPrefix(h, "setting:"); ok {
			h = hostOf(i.Setting(name))
		}
		if h == "" {
			continue
		}
		if below, ok := strings.CutPrefix(h, "*"); ok && strings.HasSuffix(u.Host, below) || h == u.Host {
			return nil
		}
	}
	return fmt.Errorf("the host %q is none of those that %s may ask", u.Host, i.Source.Name)
}

// hostOf is the host of an address, or the text itself.
func hostOf(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		return u.Host
	}
	return s
}
