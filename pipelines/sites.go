package pipelines

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Category is what kind of site a source is.
type Category string

// The categories that rules may ask for.
const (
	Search   Category = "search"
	Social   Category = "social"
	Shopping Category = "shopping"
	Video    Category = "video"
)

var categories = []Category{Search, Social, Shopping, Video}

// Site is a known source: its name in reports, its category and the hosts it is met under (see channels.yaml).
type Site struct {
	Name     string   `yaml:"name" json:"name"`
	Category Category `yaml:"category" json:"category"`
	Aliases  []string `yaml:"aliases" json:"aliases,omitempty"`
	Hosts    []string `yaml:"hosts" json:"hosts,omitempty"`
}

// siteIndex finds a site in a few look-ups, whatever the length of the list.
type siteIndex struct {
	names   map[string]*Site // names and aliases
	hosts   map[string]*Site // ya.ru
	domains map[string]*Site // .vk.com, without the dot
	brands  map[string]*Site // google.*, the label alone
}

func indexSites(sites []Site) (*siteIndex, error) {
	x := &siteIndex{map[string]*Site{}, map[string]*Site{}, map[string]*Site{}, map[string]*Site{}}
	var faults []error
	for i := range sites {
		s := &sites[i]
		if s.Name == "" || !slices.Contains(categories, s.Category) {
			faults = append(faults, fmt.Errorf("sites[%d]: name %q, category %q", i, s.Name, s.Category))
		}
		add := func(m map[string]*Site, key string) {
			if key == "" || key != strings.ToLower(key) || m[key] != nil {
				faults = append(faults, fmt.Errorf("sites[%d]: %q is empty, not lower case or listed twice", i, key))
			}
			m[key] = s
		}
		add(x.names, s.Name)
		for _, a := range s.Aliases {
			add(x.names, a)
		}
		for _, h := range s.Hosts {
			if brand, ok := strings.CutSuffix(h, ".*"); ok {
				add(x.brands, brand)
			} else if domain, ok := strings.CutPrefix(h, "."); ok {
				add(x.domains, domain)
			} else {
				add(x.hosts, h)
			}
		}
	}
	return x, errors.Join(faults...)
}

// host finds the site of a host, nil if it is none of the list.
func (x *siteIndex) host(host string) *Site {
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	if s := x.hosts[host]; s != nil {
		return s
	}
	for rest, ok := host, true; ok; _, rest, ok = strings.Cut(rest, ".") {
		if s := x.domains[rest]; s != nil {
			return s
		}
	}
	if brand, ending, ok := strings.Cut(host, "."); ok && isCountryEnding(ending) {
		return x.brands[brand]
	}
	return nil
}

// category is that of a source: a site's name, alias or host. It is empty for an unknown one.
func (x *siteIndex) category(source string) Category {
	s := x.names[source]
	if s == nil {
		s = x.host(source)
	}
	if s == nil {
		return ""
	}
	return s.Category
}

// isCountryEnding tells google.pl, google.com and google.co.uk from google.example.com: one label, or a two-letter one
// after one of at most three letters that registries sell under (co, com, net, org).
func isCountryEnding(ending string) bool {
	first, second, two := strings.Cut(ending, ".")
	if !two {
		return len(first) >= 2
	}
	return len(second) == 2 && slices.Contains([]string{"co", "com", "net", "org"}, first)
}
