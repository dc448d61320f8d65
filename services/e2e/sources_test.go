package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
)

const sourceKey = "key-of-an-address-1"

// TestOwnSource is the life of a source of one's own on the real engines: its mapping is wrong, what comes lies in the dead letters, the
// mapping is mended while the system runs, and what had come is sent again, as often as one likes. What is forged in between changes
// nothing.
func TestOwnSource(t *testing.T) {
	t.Parallel() // most of it is waiting
	dir := t.TempDir()
	if _, err := sources.New(dir, "acme"); err != nil {
		t.Fatal(err)
	}
	program, definition := filepath.Join(dir, "acme", "hook.jq"), filepath.Join(dir, "acme", "source.yaml")
	good, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	write(t, program, strings.Replace(string(good), "(.id | text)", `(if .id == 2 then error("no id for \(.phone)") else .id | text end)`, 1))
	b, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	write(t, definition, strings.Replace(string(b), `checks:
      - hmac: {algorithm: sha256, encoding: hex, key: secret, of: [body], in: "header:X-Signature", prefix: "sha256="}`, `checks:
      - secret: {in: "header:X-Signature", is: secret}`, 1))

	s := newSystem(t, 3, fmt.Sprintf("sources: %q\nworkspaces:\n", dir)+workspaceConfig("shop", fmt.Sprintf(`    sources: [{name: landing, source: acme, key: %s, settings: {secret: s3cret}}]
`, sourceKey)))
	lead := func(id int) string {
		return fmt.Sprintf(`{"id":%d,"created":"2026-11-01 11:00:00","phone":"+4850100000%d","form":"f","page":"shop.example/"}`, id, id)
	}
	send := func(secret string, leads ...string) int {
		return s.hook(t, "acme/"+sourceKey, secret, `{"leads":[`+strings.Join(leads, ",")+`]}`)
	}
	for _, step := range []struct {
		name, secret string
		leads        []string
		status       int
	}{
		{"forged", "guess", []string{lead(7), lead(8)}, 401},
		{"one good and one that the mapping cannot take", "s3cret", []string{lead(1), lead(2)}, 200},
		{"the same again", "s3cret", []string{lead(2), lead(1)}, 200},
		{"forged again", "", []string{lead(2)}, 401},
	} {
		if got := send(step.secret, step.leads...); got != step.status {
			t.Fatalf("%s: HTTP %d", step.name, got)
		}
	}
	forms := func() string {
		s.drain()
		return strings.Join(s.query(t, "SELECT inquiry_id FROM throughline.inquiries ORDER BY inquiry_id FORMAT TabSeparated"), " ")
	}
	if got := forms(); got != "landing/1" {
		t.Fatalf("inquiries %q", got)
	}
	counted := s.metrics(t)
	for name, want := range map[string]float64{
		`throughline_sources_refused_total{reason="wrong_secret",source="landing",workspace="shop"}`: 1,
		`throughline_sources_refused_total{reason="no_secret",source="landing",workspace="shop"}`:    1,
		`throughline_sources_items_total{result="unmapped",source="landing",workspace="shop"}`:       2,
	} {
		if counted[name] != want {
			t.Errorf("%s is %v, want %v", name, counted[name], want)
		}
	}
	out, _ := s.command("tail", "dead", "--workspace", "shop", "--code", "unmapped")
	if strings.Count(out, "\n") != 2 || !strings.Contains(out, "hook.jq") || strings.Contains(out, "50100000") {
		t.Errorf("tail:\n%s", out)
	}
	if out, _ := s.command("replay", "--dry-run"); !strings.Contains(out, "2 letters: 0 are whole") || !strings.Contains(out, "2 still bad: unmapped") {
		t.Errorf("replay before it was mended:\n%s", out)
	}

	// A mapping that does not compile is refused; the one before stays.
	write(t, program, "{")
	s.hangUp(t, "the sources were read again and refused")
	if got := send("s3cret", lead(3)); got != 200 {
		t.Fatalf("HTTP %d", got)
	}
	write(t, program, string(good))
	s.hangUp(t, "the sources were read again\t")
	for i := range 3 {
		out, code := s.command("replay", "--workspace", "shop", "--source", "landing")
		if code != 0 || !strings.Contains(out, "2 letters: 2 are whole, 2 events and 0 fetches were sent") {
			t.Errorf("replay %d:\n%s", i, out)
		}
	}
	if got := forms(); got != "landing/1 landing/2 landing/3" {
		t.Errorf("inquiries %q", got)
	}
	if a := s.auditClean(); a.Events != 3 {
		t.Errorf("%d events", a.Events)
	}
	out, _ = s.command("tail", "events", "--source", "landing")
	if strings.Count(out, "\n") < 3 || strings.Contains(out, "50100000") {
		t.Errorf("tail:\n%s", out)
	}
	out, _ = s.command("tail", "facts", "--limit", "1")
	if !strings.Contains(out, `"cause":"landing/`) {
		t.Errorf("tail:\n%s", out)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hook posts a vendor's request.
func (s *system) hook(t *testing.T, path, secret, body string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr.HTTP+"/v1/sources/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		req.Header.Set("X-Signature", secret)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// hangUp has the sources read again, and waits until the log says what came of it.
func (s *system) hangUp(t *testing.T, says string) {
	t.Helper()
	count := func() int {
		b, err := os.ReadFile(s.config + ".log")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), says)
	}
	before := count()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); count() == before; <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log does not say %q", says)
		}
	}
}
