package tail

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// place is where a record stands.
type place struct {
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
	Written   string `json:"written"`
}

func placed(r kafka.Record) place { return place{r.Partition, r.Offset, moment(r.Time.UnixMilli())} }

func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// show is a record of a kind as it is shown.
func show(kind string, r kafka.Record) (*line, error) {
	switch kind {
	case "events":
		e, err := event.Decode(r.Value)
		if err != nil {
			return nil, err
		}
		return showEvent(&e, r), nil
	case "facts":
		p, err := fact.Decode(r.Value)
		if err != nil {
			return nil, err
		}
		return showPosting(&p, r), nil
	case "dead":
		l, err := deadletter.Decode(r.Value)
		if err != nil {
			return nil, err
		}
		return showLetter(l, r), nil
	}
	f, err := delivery.DecodeFetch(r.Value)
	if err != nil {
		return nil, err
	}
	return &line{Workspace: f.Workspace, Source: f.Instance, value: struct {
		place
		Workspace  string          `json:"workspace"`
		Source     delivery.Source `json:"source"`
		ReceivedAt string          `json:"received_at"`
	}{placed(r), f.Workspace, f.Source, f.ReceivedAt}}, nil
}

// shownEvent is what attribution looks at; texts that a client may have written are left out.
type shownEvent struct {
	place
	Workspace string         `json:"workspace"`
	Type      string         `json:"type"`
	Source    string         `json:"source"`
	ID        string         `json:"id"`
	Time      string         `json:"time"`
	Received  string         `json:"received"`
	Home      string         `json:"home,omitempty"` // the id that stands for the first identifier
	Kinds     []string       `json:"identities,omitempty"`
	Is        map[string]any `json:"is,omitempty"`
}

func showEvent(e *event.Event, r kafka.Record) *line {
	out := shownEvent{
		place: placed(r), Workspace: e.Workspace, Type: e.Type.String(), Source: e.Source, ID: e.ID, Time: moment(e.Time), Received: moment(e.Received), Is: meaning(e),
	}
	for _, n := range e.Nodes {
		out.Kinds = append(out.Kinds, n.Kind)
	}
	if len(e.Nodes) > 0 {
		out.Home = hex.EncodeToString(e.Nodes[0].ID[:])
	}
	return &line{Workspace: e.Workspace, Source: e.Source, Type: out.Type, value: out}
}

// meaning is the event's object, without titles, addresses of pages and the like.
func meaning(e *event.Event) map[string]any {
	switch {
	case e.Visit != nil:
		return map[string]any{"utm": utm(e.Visit.Origin.UTM), "click": e.Visit.Origin.Click, "referrer": masked(e.Visit.Origin.Referrer), "bot": e.Visit.Bot}
	case e.Call != nil:
		c := e.Call
		return map[string]any{"direction": direction(c.Direction), "status": c.Status, "wait_seconds": c.Wait, "talk_seconds": c.Talk, "utm": utm(c.UTM)}
	case e.Message != nil:
		return map[string]any{"platform": e.Message.Platform, "direction": direction(e.Message.Direction), "utm": utm(e.Message.UTM)}
	case e.Form != nil:
		return map[string]any{"form_id": masked(e.Form.FormID)}
	case e.Deal != nil:
		d := e.Deal
		return map[string]any{"id": d.ID, "pipeline": d.Pipeline, "stage": d.Stage, "status": d.Status, "amount": d.Amount, "currency": d.Currency, "deleted": d.Deleted}
	case e.Spend != nil:
		s := e.Spend
		return map[string]any{"date": s.Date, "utm": utm(s.UTM), "impressions": s.Impressions, "clicks": s.Clicks, "amount": s.Amount, "currency": s.Currency}
	case e.Lease != nil:
		return map[string]any{"until": moment(e.Lease.Until)}
	}
	return nil
}

func direction(d event.Direction) string {
	if d == event.Out {
		return "out"
	}
	return "in"
}

// utm is the tuple without what a search brought: a term is what somebody typed.
func utm(u event.UTM) map[string]string {
	out := map[string]string{}
	for name, v := range map[string]string{"source": u.Source, "medium": u.Medium, "campaign": u.Campaign} {
		if v != "" {
			out[name] = masked(v)
		}
	}
	return out
}

// contact is what looks like a client's in a text that a sender chose.
var contact = regexp.MustCompile(`@|%40|\+?[0-9][0-9 ()-]{7,}[0-9]`)

// masked is a text that a sender chose, unless it may be a contact.
func masked(s string) string {
	if contact.MatchString(s) {
		return "…"
	}
	return s
}

func showPosting(p *fact.Posting, r kafka.Record) *line {
	type credit struct {
		Conversion  string `json:"conversion"`
		ID          string `json:"id"`
		CauseType   string `json:"cause_type"`
		Model       string `json:"model"`
		Channel     string `json:"channel"`
		Conversions int64  `json:"conversions_millionths"`
		Revenue     int64  `json:"revenue_minor"`
	}
	var credits []credit
	for _, c := range p.Credits {
		b, t := p.Bookings[c.Booking], p.Touchpoints[c.Touch]
		credits = append(credits, credit{b.Conversion.String(), b.ID, b.CauseType.String(), c.Model.String(), t.Channel, c.Conversions, c.Revenue})
	}
	return &line{Workspace: p.Workspace, value: struct {
		place
		Workspace  string   `json:"workspace"`
		RecordedAt string   `json:"recorded_at"`
		Cause      string   `json:"cause"`
		Credits    []credit `json:"credits,omitempty"`
		Touches    int      `json:"touches"`
		Inquiries  int      `json:"inquiries"`
		Deals      int      `json:"deals"`
		Spends     int      `json:"spends"`
	}{placed(r), p.Workspace, moment(p.RecordedAt), p.Cause, credits, len(p.Touches), len(p.Inquiries), len(p.Deals), len(p.Spends)}}
}

func showLetter(l *deadletter.Letter, r kafka.Record) *line {
	name := ""
	if l.Source != nil {
		name = l.Source.Instance
	}
	bare := *l
	bare.Body, bare.Sealed, bare.Record = "", nil, nil // what was sent is the client's
	bare.Message = sources.Discreet(errors.New(l.Message))
	return &line{Workspace: l.Workspace, Source: name, Code: l.Code, value: struct {
		place
		Letter json.RawMessage `json:"letter"`
	}{placed(r), mustEncode(&bare)}}
}

func mustEncode(l *deadletter.Letter) json.RawMessage {
	b, err := l.Encode()
	if err != nil {
		return json.RawMessage(`null`) // it was read from JSON
	}
	return b
}
