package identity

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutations proves that the worlds would notice a broken protocol: each row breaks one rule of the source, and the
// worlds must then fail. A row whose text is no longer in the source fails too, so the list cannot rot. (No row: a
// join that does not look at the entry's version, for the settling after the give parts what should not have met; a changelog
// that keeps the entries which left, for they are written over if they come back, and are only in the way.)
func TestMutations(t *testing.T) {
	if os.Getenv("THROUGHLINE_MUTANT") != "" {
		t.Skip("this is the mutant")
	}
	if testing.Short() {
		t.Skip("mutants are other programs: -short, which is for the race detector, has nothing to see in them")
	}
	for _, m := range []struct{ name, file, old, new string }{
		{"a give is taken by whoever gets it", "machine.go", "if !n.owns(msg.Needs) {", "if false {"},
		{"a replaced link is not settled", "machine.go", "if old != nil && len(old.Joins) > 0 {", "if false {"},
		{"a give never settles", "machine.go", "if whole && n.joined(msg.Again) {", "if _ = whole; true {"},
		{"a give does not look whether its link stands", "machine.go", "if whole && n.joined(msg.Again) {", "if whole {"},
		{"who comes back does not ask again", "machine.go", "if msg.Again != nil {", "if false {"},
		{"who comes back is still away", "machine.go", "m.back(n)", "m.touch(n)"},
		{"a giver forgets where it sent", "changes.go", "n.moved[x] = to", "n.moved[x] = x"},
		{"an older version overwrites", "machine.go", "if old != nil && old.Version >= e.Version {", "if old != nil && old.Version == e.Version {"},
		{"the facts of the given are not taken back", "machine.go", "[]P{n.person, given}", "[]P{n.person}"},
		{"a rollback keeps what it changed", "changes.go", "m.drop(n)\n", "_ = n\n"},
		{"the changelog misses what came", "changes.go", "m.dirty.Entries[EntryRef{e.Home, e.Key}] = e", "_ = e"},
		{"the changelog misses who came", "changes.go", "m.dirty.Members[Pair{n.id, x}] = Membership{Here: true}", "_ = x"},
		{"the changelog misses who left", "changes.go", "m.dirty.Members[Pair{n.id, x}] = Membership{}", "_ = x"},
		{"the changelog misses where they went", "changes.go", "m.dirty.Moved[Pair{n.id, x}] = to", "_ = to"},
		{"the changelog misses that it is back", "changes.go", "m.dirty.Moved[Pair{n.id, n.id}] = ID{}", "_ = n"},
		{"what comes while a node is busy does not wait", "machine.go", "case n.busy():", "case false:"},
		{"what waited is handled again after a restart", "task.go", "m.dirty.Waiting[WaitRef{n.id, w.Seq}] = nil", "_ = w"},
		{"the changelog misses what waits", "task.go", "m.dirty.Waiting[WaitRef{n.id, n.nextSeq}] = &msg", "_ = msg"},
		{"a node does not go on after a step", "task.go", "if n.busy() {", "if n.task != nil {"},
		{"the changelog misses who came in a piece", "pieces.go", "m.dirty.Staged[Stage{n.id, msg.Back, x}] = true", "_ = x"},
		{"the changelog misses what came in a piece", "pieces.go", "m.dirty.Entries[EntryRef{e.Home, e.Key}] = e", "_ = e"},
		{"a piece overwrites those before it", "pieces.go", "s.entries = append(s.entries, msg.Journey...)", "s.entries = msg.Journey"},
		{"the rest of a home is left behind", "pieces.go", "if l.entries = l.entries[count:]; len(l.entries) > 0 {", "if false {"},
		{"a person in pieces is taken by whoever gets it", "steps.go", "if !n.owns(msg.Needs) {", "if false {"},
		{"a person in pieces is never looked at for parts", "steps.go", "case t.Op == Taking && t.Settle:", "case false:"},
		{"who comes back in pieces does not ask again", "steps.go", "case t.Op == Owning && t.Header.Again != nil:", "case false:"},
		{"a restart posts again what was posted", "steps.go", "w.posting.Skip(t.Done)", "_ = t.Done"},
		{"a restart forgets who is to leave", "steps.go", "Membership{Here: true, Leaves: p.members[0]}", "Membership{Here: true}"},
		{"members that came in pieces are forgotten", "steps.go", "m.dirty.Members[Pair{n.id, x}] = Membership{Here: true}\n", "_ = n\n"},
	} {
		t.Run(m.name, func(t *testing.T) {
			source, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), m.old) != 1 {
				t.Fatalf("%s does not hold just once: %s", m.file, m.old)
			}
			if out, survived := runMutant(t, m.file, strings.Replace(string(source), m.old, m.new, 1)); survived {
				t.Errorf("the worlds did not notice:\n%s", out)
			}
		})
	}
}

// runMutant plays the worlds with one file replaced and reports whether they all still passed.
func runMutant(t *testing.T, file, source string) (string, bool) {
	dir := t.TempDir()
	real, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	mutant, overlay := filepath.Join(dir, file), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {real: mutant}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{mutant: []byte(source), overlay: list} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-overlay", overlay, "-run", "^TestWorlds$", ".", "-args", "-worlds", "1200")
	cmd.Env = append(os.Environ(), "THROUGHLINE_MUTANT=1")
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "build failed") {
		t.Fatalf("the mutant does not build:\n%s", out)
	}
	return string(out), err == nil
}
