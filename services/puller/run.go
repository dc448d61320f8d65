package puller

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// run is one run of a pull: every account, every part of its window.
type run struct {
	*job
	Run
	letters int
}

// begin goes on with an interrupted run, unless its time is over or somebody orders another one. One that fails for some accounts is
// over when the next is due, so that the others are pulled; but days that somebody asked for are not given up for that.
func (j *job) begin(order *Order, now time.Time) *run {
	if old := j.state.Run; old != nil && (order == nil || order.ID == old.Order) {
		age := now.Sub(old.Began)
		if age < j.pull.Every || age < maxRun && (j.state.Failures == 0 || old.Since != "") {
			return &run{job: j, Run: *old}
		}
	}
	r := &run{job: j, Run: Run{Began: now.UTC().Truncate(time.Millisecond)}}
	if order != nil {
		r.Order, r.Since = order.ID, order.Since
	}
	return r
}

// all pulls all accounts. One that fails does not keep the others from being pulled, unless the vendor as a whole is not to be had.
func (r *run) all(ctx context.Context) error {
	list, err := r.list(ctx)
	if err != nil {
		return err
	}
	// That it runs is written down first: a crash then goes on with this run, and its $received.
	r.state.Run = &r.Run
	if err := r.owner.commit(ctx, records(r.stateOf())); err != nil {
		return errors.Join(errOwner, err)
	}
	var failures []error
	for _, account := range list {
		err := r.account(ctx, account)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || errors.Is(err, errOwner) {
			return err
		}
		failures = append(failures, err)
		switch f := remote.AsFailure(err); f.Reason {
		case remote.Away, remote.Throttled, remote.Unauthorized:
			return err
		default:
		}
	}
	if len(failures) > 0 {
		f := *remote.AsFailure(failures[0])
		f.Err = fmt.Errorf("%d of %d accounts failed; the first: %w", len(failures), len(list), f.Err)
		return &f
	}
	return nil
}

// list is what is asked for one by one.
func (r *run) list(ctx context.Context) ([]any, error) {
	if r.pull.ForEachProgram == nil {
		return []any{nil}, nil
	}
	list, err := r.pull.ForEachProgram.Run(ctx, nil, r.Variables(r.entry, r.Began))
	if err != nil {
		return nil, fmt.Errorf("for_each: %w", err)
	}
	if len(list) > maxAccounts {
		return nil, fmt.Errorf("for_each: %d accounts; %d are allowed", len(list), maxAccounts)
	}
	return list, nil
}

// account pulls one account, from where it stands.
func (r *run) account(ctx context.Context, value any) error {
	name, err := mapping.JSON(value)
	if err != nil {
		return fmt.Errorf("for_each: %w", err)
	}
	a := r.accounts[accountName(name)]
	if a == nil {
		a = &Account{Account: name}
	}
	mine := a.Run.Equal(r.Began)
	if mine && a.Done {
		return nil
	}
	parts, err := r.parts(a, mine)
	if err != nil {
		return err
	}
	for n, part := range parts {
		next := *a
		next.Run, next.Done = r.Began, n == len(parts)-1
		if part != nil {
			next.Reached = part.to.Format(dayForm)
			if next.Reached > next.Through {
				next.Through = next.Reached
			}
		}
		s := &step{run: r, account: value, window: part, next: &next}
		if err := s.do(ctx, a); err != nil {
			return err
		}
		a = &next
		r.accounts[accountName(name)] = a
	}
	return nil
}

// parts are the parts of the window that an account still needs in this run; one that is nil where there is no window.
func (r *run) parts(a *Account, mine bool) ([]*span, error) {
	w := r.pull.Window
	if w == nil {
		return []*span{nil}, nil
	}
	zone, err := windowZone(r.Instance, w)
	if err != nil {
		return nil, err
	}
	last := lastDay(w, r.Began, zone)
	first := firstDay(w, last, a.Through, r.Since)
	if day, err := time.Parse(dayForm, a.Reached); err == nil && mine {
		first = day.AddDate(0, 0, 1)
	}
	var out []*span
	for _, c := range chunks(first, last, w.Chunk) {
		out = append(out, &c)
	}
	return out, nil
}

// cursor is $cursor of an account.
func (r *run) cursor(ctx context.Context, a *Account, v *mapping.Variables) (any, error) {
	c := r.pull.Cursor
	if c == nil {
		return nil, nil
	}
	if len(a.Cursor) > 0 {
		d := json.NewDecoder(bytes.NewReader(a.Cursor))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("cursor: %w", err)
		}
		return value, nil
	}
	value, err := sources.One(ctx, c.FirstProgram, nil, v)
	if err != nil {
		return nil, fmt.Errorf("cursor.first: %w", err)
	}
	return value, nil
}
