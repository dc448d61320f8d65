package sources

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// Instance is a source as one workspace uses it. It is safe for concurrent use and never changes.
type Instance struct {
	Workspace *workspace.Workspace
	// Name is the instance's own, and the `source` of its events unless the mapping says otherwise.
	Name string
	// Key is the secret part of its address.
	Key    string
	Source *Source
	// Settings and Tables are what the workspace gave, defaults filled in.
	Settings, Tables map[string]any

	guards map[string]*checks.Guard
	about  map[string]any // $workspace
}

// Set is every source of every workspace.
type Set struct {
	// Sources by name; a source of the user's own stands in place of a shipped one of the same name.
	Sources map[string]*Source
	// Instances in the configuration's order.
	Instances []*Instance

	byKey map[[sha256.Size]byte]*Instance
}

// Bind gives workspaces the sources that they name. Every fault is told, with the path of its field in the configuration.
func Bind(list []*Source, workspaces []workspace.Workspace) (*Set, error) {
	s := &Set{Sources: map[string]*Source{}, byKey: map[[sha256.Size]byte]*Instance{}}
	for _, source := range list {
		if before := s.Sources[source.Name]; before == nil || source.Own {
			s.Sources[source.Name] = source
		}
	}
	var all []error
	for i := range workspaces {
		for j := range workspaces[i].Sources {
			at := fmt.Sprintf("workspaces[%d].sources[%d]", i, j)
			instance, err := s.bind(&workspaces[i], &workspaces[i].Sources[j])
			for _, e := range pipelines.Faults(err) {
				all = append(all, fmt.Errorf("%s.%w", at, e))
			}
			if instance == nil {
				continue
			}
			s.Instances = append(s.Instances, instance)
			if instance.Key != "" {
				s.byKey[sha256.Sum256([]byte(instance.Key))] = instance
			}
		}
	}
	return s, errors.Join(all...)
}

func (s *Set) bind(w *workspace.Workspace, c *workspace.Source) (*Instance, error) {
	var all []error
	fault := faultFunc(func(path, format string, args ...any) {
		all = append(all, fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...)))
	})
	source := s.Sources[c.Source]
	if source == nil {
		fault("source", "%q is no source; there are %v", c.Source, slices.Sorted(maps.Keys(s.Sources)))
		return nil, errors.Join(all...)
	}
	given := Given{Settings: c.Settings, Tables: map[string]any{}}
	for name, t := range c.Tables {
		given.Tables[name] = t
	}
	i := source.instance(w, c.Name, c.Key, given, fault)
	if hooks := source.EntriesOf(Webhook); len(hooks) > 0 && c.Key == "" {
		fault("key", "of %q is empty: it is the secret part of the address that %s sends to", c.Name, source.Title)
	}
	return i, errors.Join(all...)
}

// Given is what a workspace gives to a source.
type Given struct{ Settings, Tables map[string]any }

// instance puts together what a source asks for and what is given.
func (s *Source) instance(w *workspace.Workspace, name, key string, given Given, fault faultFunc) *Instance {
	i := &Instance{
		Workspace: w, Name: name, Key: key, Source: s, guards: map[string]*checks.Guard{}, Settings: map[string]any{}, Tables: map[string]any{},
		about: map[string]any{"name": w.Name, "timezone": w.Timezone, "currency": w.Currency, "country": w.Country},
	}
	i.take("settings", i.Settings, given.Settings, declared(s.Settings, func(d Setting) (any, bool) { return d.Default, d.Required }), fault)
	i.take("tables", i.Tables, given.Tables, declared(s.Tables, func(d Table) (any, bool) {
		if d.Default == nil {
			return map[string]any{}, d.Required
		}
		return d.Default, d.Required
	}), fault)
	for j := range s.Entries {
		e := &s.Entries[j]
		if e.Kind != Webhook {
			continue
		}
		i.guards[e.Name] = checks.Compile(e.Checks, e.Unchecked, i.setting, func(path, format string, args ...any) {
			fault("settings", "entry %s: %s: %w", e.Name, path, fmt.Errorf(format, args...))
		})
		if slices.ContainsFunc(e.Checks, func(c checks.Check) bool { return c.Path }) && key != "" && len(key) < checks.MinPathKey {
			fault("key", "of %q is the only secret and must have at least %d characters", name, checks.MinPathKey)
		}
	}
	return i
}

type declaration struct {
	otherwise any
	required  bool
}

func declared[T any](all map[string]T, of func(T) (any, bool)) map[string]declaration {
	out := map[string]declaration{}
	for name, d := range all {
		otherwise, required := of(d)
		out[name] = declaration{otherwise, required}
	}
	return out
}

func (i *Instance) take(kind string, into, given map[string]any, declared map[string]declaration, fault faultFunc) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := declared[name]; !ok {
			fault(kind+"."+name, "%s has none of this name; it has %v", i.Source.Name, slices.Sorted(maps.Keys(declared)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		d := declared[name]
		value, ok := given[name]
		if !ok || value == nil {
			if d.required {
				fault(kind+"."+name, "is needed (throughline sources show %s)", i.Source.Name)
			}
			value = d.otherwise
		}
		if text, isText := value.(string); d.required && isText && text == "" {
			fault(kind+"."+name, "is empty")
		}
		plain, err := mapping.Plain(value)
		if err != nil {
			fault(kind+"."+name, "%v", err)
			continue
		}
		into[name] = plain
	}
}

// setting is a setting as text, for checks.
func (i *Instance) setting(name string) string { return i.Setting(name) }

// Setting is a setting as text; empty where it is not set.
func (i *Instance) Setting(name string) string {
	switch v := i.Settings[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// Find is the instance that an address names: a source and a key.
func (s *Set) Find(source, key string) (*Instance, bool) {
	i, ok := s.byKey[sha256.Sum256([]byte(key))]
	if !ok || i.Source.Name != source {
		return nil, false
	}
	return i, true
}

// Named is an instance of a workspace.
func (s *Set) Named(workspace, name string) (*Instance, bool) {
	for _, i := range s.Instances {
		if i.Workspace.Name == workspace && i.Name == name {
			return i, true
		}
	}
	return nil, false
}

// Guard is the checks of an entry.
func (i *Instance) Guard(e *Entry) *checks.Guard { return i.guards[e.Name] }

// Unchecked are the webhooks that anybody may use who knows their address.
func (i *Instance) Unchecked() []*Entry {
	var out []*Entry
	for _, e := range i.Source.EntriesOf(Webhook) {
		if e.Unchecked != "" {
			out = append(out, e)
		}
	}
	return out
}
