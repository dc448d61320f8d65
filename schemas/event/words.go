package event

// Words are strings that events say again and again, the names of workspaces, sources and campaigns: each stands in memory once. They
// are bounded; the zero Words is ready, and a nil one knows none. They are not safe for concurrent use.
type Words struct{ known map[string]string }

// Limits of Words: how many are kept, and of how many bytes one may be.
const (
	mostWords   = 1024
	longestWord = 64
)

// Of is b as a string.
func (w *Words) Of(b []byte) string {
	if w == nil || len(b) > longestWord {
		return string(b)
	}
	if s, ok := w.known[string(b)]; ok {
		return s
	}
	if w.known == nil || len(w.known) >= mostWords { // those that matter come again
		w.known = map[string]string{}
	}
	s := string(b)
	w.known[s] = s
	return s
}
