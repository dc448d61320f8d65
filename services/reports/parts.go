package reports

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/throughline-io/throughline/schemas/event"
)

// parts is the raw events of a workspace in files, every person's in one.
type parts struct {
	dir    string
	files  []*os.File
	events int
}

// maxParts keeps the files that are open at once within what a process may have.
const maxParts = 700

// split puts each event, one a key and without the conflicts, into the file of its person.
func (a Audit) split(ctx context.Context, db DB) (p *parts, err error) {
	a.tell("matching calls")
	if err := readEvents(ctx, db, a.Workspace, "AND type IN ('number_lease', 'call')", a.Recompute.Hear); err != nil {
		return nil, err
	}
	people := &union{}
	for _, link := range a.Recompute.Match() {
		people.join(prefix(link[0]), prefix(link[1]))
	}
	a.tell("joining people")
	if err := joinNodes(ctx, db, a.Workspace, people); err != nil {
		return nil, err
	}
	var total uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM throughline.events WHERE workspace = ?`, a.Workspace).Scan(&total); err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	atOnce := a.AtOnce
	if atOnce == 0 {
		atOnce = DefaultAtOnce
	}
	p = &parts{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.dir, err = os.MkdirTemp("", "throughline-audit-"); err != nil {
		return p, err
	}
	n := min(maxParts, int(total)/atOnce+1)
	writers := make([]*bufio.Writer, n)
	for i := range n {
		f, err := os.Create(filepath.Join(p.dir, fmt.Sprint(i)))
		if err != nil {
			return p, err
		}
		p.files, writers[i] = append(p.files, f), bufio.NewWriter(f)
	}
	a.tell(fmt.Sprintf("splitting %d events into %d parts", total, n))
	err = readWires(ctx, db, a.Workspace, "", func(wire string) error {
		e, err := event.Decode([]byte(wire))
		if err != nil {
			return fmt.Errorf("an event that was stored: %w", err)
		}
		p.events++
		w := writers[people.part(&e, n)]
		if _, err := w.Write(binary.AppendUvarint(w.AvailableBuffer(), uint64(len(wire)))); err != nil {
			return err
		}
		_, err = w.WriteString(wire)
		return err
	})
	for _, w := range writers {
		err = errors.Join(err, w.Flush())
	}
	return p, err
}

// each hands over the events of one file after another.
func (p *parts) each(ctx context.Context, do func([]*event.Event) error) error {
	for _, f := range p.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		events, err := readPart(bufio.NewReaderSize(f, 1<<20))
		if err != nil {
			return fmt.Errorf("part of the events: %w", err)
		}
		if err := do(events); err != nil {
			return err
		}
	}
	return nil
}

func readPart(r *bufio.Reader) (out []*event.Event, err error) {
	for {
		size, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		wire := make([]byte, size)
		if err == nil {
			_, err = io.ReadFull(r, wire)
		}
		if err != nil {
			return nil, err
		}
		e, err := event.Decode(wire)
		if err != nil {
			return nil, err
		}
		out = append(out, &e)
	}
}

func (p *parts) close() {
	for _, f := range p.files {
		_ = f.Close() // what is in it is not needed any more
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// readEvents decodes the raw events that a condition holds of.
func readEvents(ctx context.Context, db DB, workspace, condition string, do func(*event.Event)) error {
	return readWires(ctx, db, workspace, condition, func(wire string) error {
		e, err := event.Decode([]byte(wire))
		if err != nil {
			return fmt.Errorf("an event that was stored: %w", err)
		}
		do(&e)
		return nil
	})
}

func readWires(ctx context.Context, db DB, workspace, condition string, do func(wire string) error) error {
	rows, err := db.Query(ctx, `SELECT wire FROM throughline.events WHERE workspace = ? `+condition, workspace)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var wire string
		if err := rows.Scan(&wire); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if err := do(wire); err != nil {
			return err
		}
	}
	return rows.Err()
}

// joinNodes joins the identifiers of each event that has several.
func joinNodes(ctx context.Context, db DB, workspace string, people *union) error {
	rows, err := db.Query(ctx, `SELECT node_ids FROM throughline.events WHERE workspace = ? AND length(node_ids) > 1`, workspace)
	if err != nil {
		return fmt.Errorf("read identifiers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ids []uuid.UUID
		if err := rows.Scan(&ids); err != nil {
			return fmt.Errorf("read identifiers: %w", err)
		}
		for _, id := range ids[1:] {
			people.join(prefix(event.NodeID(ids[0])), prefix(event.NodeID(id)))
		}
	}
	return rows.Err()
}
