package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// exportSource reads an export of a CRM: a form a row, and a deal that is won where there is an amount.
const exportSource = `
name: crm-export
title: An export
about: A row a client.
entries:
  - name: rows
    kind: file
    makes: [form, deal]
    read:
      format: csv
      table: {headers: [{columns: {id: id, time: time, phone: phone, amount: amount}}], numbers: [amount]}
    map: |
      {id: ("f-" + .id), type: "form", time: .time, identities: {phone: .phone}, form: {form_id: "lead"}},
      (select(.amount) | {id: ("d-" + .id), type: "deal", time: .time, identities: {phone: .phone}, deal: {id: .id, status: "won", amount: .amount, currency: "EUR"}})
`

// export writes n rows; one in ten has an amount of 10.50. Bad rows have no time that can be read.
func export(t testing.TB, file string, n int, bad func(i int) bool) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "id,time,phone,amount,manager,note")
	for i := range n {
		at, amount := fmt.Sprintf("2026-10-%02dT%02d:%02d:00+02:00", 1+i%28, i%24, i%60), ""
		if i%10 == 0 {
			amount = "10.50"
		}
		if bad != nil && bad(i) {
			at = "yesterday"
		}
		fmt.Fprintf(w, "%d,%s,+4850%07d,%s,Anna Nowak,called twice\n", i, at, i, amount)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// writeSource makes a directory with the source of exports.
func writeSource(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "crm-export"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "crm-export", "source.yaml"), []byte(exportSource), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

var itemsForm = regexp.MustCompile(`([0-9,]+) items`)

// killedImport starts an import and ends it with -9 once it has told twice that more than some items are in. What it told the first time
// was written down by then.
func (s *system) killedImport(beyond int, args ...string) (at int) {
	s.t.Helper()
	cmd := exec.Command(program, append(args, "--config", s.config)...)
	told, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines, times := bufio.NewScanner(told), 0
	for times < 2 && lines.Scan() {
		m := itemsForm.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n := int(number(s.t, strings.ReplaceAll(m[1], ",", "")))
		if n <= beyond {
			continue
		}
		if times++; times == 1 {
			at = n
		}
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		s.t.Fatalf("the import was to be killed, and ended by itself: %v", err)
	}
	return at
}

// TestImportIsKilled imports a table that is killed twice on its way and resumed: every row once, and the audit is clean.
func TestImportIsKilled(t *testing.T) {
	t.Parallel() // most of it is waiting
	const n, lost = 60_000, 8
	s := newSystem(t, 6, "sources: "+writeSource(t)+"\nworkspaces:\n"+workspaceConfig("shop", "    sources: [{name: old-crm, source: crm-export}]\n"))
	file := filepath.Join(t.TempDir(), "export.csv")
	bad := func(i int) bool { return i%(n/lost) == 77 }
	export(t, file, n, bad)
	args := []string{"import", "old-crm", file, "--workspace", "shop"}
	slow := append(args, "--max-lag", "500") // makes it last: a batch or two in a fifth of a second
	first := s.killedImport(0, slow...)
	second := s.killedImport(first, slow...)
	t.Logf("killed at item %d and at %d of %d", first, second, n)
	out, code := s.command(args...)
	m := regexp.MustCompile(`went on behind item (\d+)`).FindStringSubmatch(out)
	if m == nil || code != 1 {
		t.Fatalf("exit status %d; it was to go on, and to end with 1 because rows are bad:\n%s", code, out)
	}
	if at, _ := strconv.Atoi(m[1]); at < second || at == n {
		t.Errorf("it went on at %d", at)
	}
	t.Log(out)
	if want := fmt.Sprintf("60,000 items, 59,992 good, %d rejected; events: deal 6,000, form 59,992", lost); !strings.Contains(out, want) {
		t.Errorf("it says\n%s\nwant %s", out, want)
	}
	s.checkExport(t, n-lost, n/10, lost)

	// The same content once more, under another name, and from its beginning: nothing changes.
	copied := file + ".copy"
	if err := os.Link(file, copied); err != nil {
		t.Fatal(err)
	}
	if out, code := s.command("import", "old-crm", copied, "--workspace", "shop"); code != 1 || !strings.Contains(out, "imported before") {
		t.Errorf("exit status %d: %s", code, out)
	}
	if out, code := s.command("import", "old-crm", copied, "--workspace", "shop", "--again"); code != 1 || !strings.Contains(out, "60,000 items") {
		t.Errorf("exit status %d: %s", code, out)
	}
	s.checkExport(t, n-lost, n/10, lost)
}

// checkExport expects each row once.
func (s *system) checkExport(t *testing.T, forms, deals, lost int) {
	t.Helper()
	s.drain()
	if a := s.auditClean(); a.Events != forms+deals {
		t.Errorf("%d events stand, the file has %d", a.Events, forms+deals)
	}
	for _, row := range s.query(t, `SELECT toInt64(sum(conversions)), toInt64(sum(revenue) * 100) FROM throughline.credits WHERE conversion = 'sale' GROUP BY model`) {
		if want := joined(int64(deals), int64(deals)*1050); row != want {
			t.Errorf("sales %s, want %s", row, want)
		}
	}
	// A dead letter has no id: of what is sent again there is another.
	if got := s.query(t, `SELECT sum(items) FROM throughline.rejected_hourly WHERE key = 'import'`); number(t, got[0]) < int64(lost) {
		t.Errorf("%v dead letters, want %d at least", got, lost)
	}
}
