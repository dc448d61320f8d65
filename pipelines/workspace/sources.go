package workspace

import (
	"fmt"
	"regexp"
)

// Source is a source as one workspace uses it: an instance. A workspace may have several of one kind, each with its own name and key.
type Source struct {
	// Name is the instance's, and the `source` of its events unless the mapping says otherwise: [a-z0-9_-]{1,32}.
	Name string `yaml:"name"`
	// Source is the kind: a folder of pipelines/sources or of the user's own; Name if left out.
	Source string `yaml:"source"`
	// Key is the secret part of the address that the vendor sends to: /v1/sources/<kind>/<key>. No two have the same.
	Key string `yaml:"key"`
	// Settings and Tables are what the kind asks for (`throughline sources show`).
	Settings map[string]any            `yaml:"settings"`
	Tables   map[string]map[string]any `yaml:"tables"`
}

var (
	sourceForm = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	// sourceKeyForm is what stands in an address as it is.
	sourceKeyForm = regexp.MustCompile(`^[A-Za-z0-9_~.-]{8,256}$`)
)

// checkSources checks what can be told without the kinds themselves; pipelines/sources does the rest.
func (w *Workspace) checkSources(f *faults) {
	names := map[string]bool{}
	for i := range w.Sources {
		s := &w.Sources[i]
		path := fmt.Sprintf("sources[%d]", i)
		if !sourceForm.MatchString(s.Name) || names[s.Name] {
			f.add(path+".name", "%q does not match %s, or stands twice", s.Name, sourceForm)
		}
		names[s.Name] = true
		if s.Source == "" {
			s.Source = s.Name
		}
		if !sourceForm.MatchString(s.Source) {
			f.add(path+".source", "%q does not match %s", s.Source, sourceForm)
		}
		if s.Key != "" && !sourceKeyForm.MatchString(s.Key) {
			f.add(path+".key", "of %q does not match %s", s.Name, sourceKeyForm)
		}
	}
}
