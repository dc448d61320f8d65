package pipelines

import (
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// clicks says what a click id stands for (SPEC §4).
var clicks = map[string]event.UTM{
	"gclid":      {Source: "google", Medium: "cpc"},
	"wbraid":     {Source: "google", Medium: "cpc"},
	"gbraid":     {Source: "google", Medium: "cpc"},
	"yclid":      {Source: "yandex", Medium: "cpc"},
	"msclkid":    {Source: "bing", Medium: "cpc"},
	"ttclid":     {Source: "tiktok", Medium: "cpc"},
	"rb_clickid": {Source: "vk", Medium: "cpc"},
	"fbclid":     {Source: "facebook", Medium: "social"},
}

// resolve reduces an origin to one tuple; of utm, click id and referrer the first that says anything decides.
func (c *Classifier) resolve(o event.Origin) event.UTM {
	if u := o.UTM.Normal(); u != (event.UTM{}) {
		return u
	}
	if u, ok := clicks[o.Click]; ok {
		return u
	}
	if o.Referrer == "" {
		return event.UTM{Source: fact.Direct}
	}
	if s := c.sites.host(o.Referrer); s != nil {
		switch s.Category {
		case Search:
			return event.UTM{Source: s.Name, Medium: "organic"}
		case Social:
			return event.UTM{Source: s.Name, Medium: "social"}
		case Shopping, Video:
			// A referral under its own host: the contract knows engines and networks only.
		}
	}
	return event.UTM{Source: strings.ToLower(o.Referrer), Medium: "referral"}
}
