package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// answer sends a request until the vendor has what is asked for, or says that it will not.
func (a *Asker) answer(ctx context.Context, r *sources.Request, call *sources.Call, v *mapping.Variables) (*Body, error) {
	var waited time.Duration
	for {
		body, ready, err := a.persist(ctx, r, call, v)
		if err != nil || ready {
			return body, err
		}
		pause := r.Again.After
		if n, err := strconv.Atoi(strings.TrimSpace(body.header.Get(r.Again.Header))); r.Again.Header != "" && err == nil && n > 0 {
			pause = time.Duration(n) * time.Second
		}
		body.Close()
		if waited += pause; waited > r.Again.Most {
			return nil, &Failure{Reason: NotReady, Passing: true, Err: fmt.Errorf("request %s: not ready within %s", r.Name, r.Again.Most)}
		}
		if err := a.wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// persist tries again what may pass. There is no chance in the pauses: one process at a time asks for an instance.
func (a *Asker) persist(ctx context.Context, r *sources.Request, call *sources.Call, v *mapping.Variables) (*Body, bool, error) {
	pause, renewed := a.remote.Retries.First, false
	for attempt := 1; ; attempt++ {
		body, ready, used, err := a.try(ctx, r, call, v)
		if err == nil || ctx.Err() != nil {
			return body, ready, err
		}
		f := AsFailure(err)
		if f.Status == 401 && a.tokens != nil && !renewed { // it may have been taken back before its time
			renewed = true
			attempt--
			a.tokens.forget(used)
			continue
		}
		if !f.Passing || attempt >= a.remote.Retries.Attempts || f.After > MaxPause {
			return nil, false, err
		}
		wait := pause
		if f.After > 0 {
			wait = f.After
		}
		if err := a.wait(ctx, min(wait, MaxPause)); err != nil {
			return nil, false, err
		}
		pause = min(2*pause, a.remote.Retries.Longest)
	}
}

// try sends a request once.
func (a *Asker) try(ctx context.Context, r *sources.Request, call *sources.Call, v *mapping.Variables) (_ *Body, ready bool, used string, err error) {
	defer func() {
		switch {
		case err == nil:
			a.vendor.options.Asked("ok")
		case ctx.Err() == nil:
			a.vendor.options.Asked(string(AsFailure(err).Reason))
		}
	}()
	if err := a.turn(ctx); err != nil {
		return nil, false, "", err
	}
	if a.tokens != nil {
		if used, err = a.tokens.get(ctx); err != nil {
			return nil, false, "", err
		}
	}
	whole := r.Absent
	if r.Again != nil {
		whole = append(slices.Clone(whole), r.Again.Status...)
	}
	body, err := a.once(ctx, call, used, whole)
	if err != nil {
		return nil, false, used, err
	}
	if ready, err = a.judge(ctx, r, body, v); err != nil || !ready && r.Again == nil {
		body.Close()
		return nil, false, used, err
	}
	return body, ready, used, nil
}

// judge says whether an answer is what was asked for, not yet, or a failure.
func (a *Asker) judge(ctx context.Context, r *sources.Request, body *Body, v *mapping.Variables) (ready bool, err error) {
	if r.Again != nil && slices.Contains(r.Again.Status, body.status) {
		return false, nil
	}
	if slices.Contains(r.Absent, body.status) {
		return true, nil
	}
	if r.Programs.Again == nil && r.Programs.Failed == nil {
		return true, nil
	}
	value, err := body.Value()
	if err != nil {
		return false, unreadable(r, err)
	}
	notYet, err := sources.One(ctx, r.Programs.Again, value, v)
	if err != nil {
		return false, wrong(r, "again", err)
	}
	if notYet != nil && notYet != false {
		return false, nil
	}
	said, err := sources.One(ctx, r.Programs.Failed, value, v)
	if err != nil {
		return false, wrong(r, "failed", err)
	}
	if said == nil || said == false {
		return true, nil
	}
	text, passing := strings.CutPrefix(fmt.Sprint(said), "retry:")
	return false, &Failure{
		Reason: Said, Status: body.status, Passing: passing, After: retryAfter(body.header, time.Now()), Err: fmt.Errorf("request %s: %s", r.Name, excerpt([]byte(text))),
	}
}

func unreadable(r *sources.Request, err error) *Failure {
	reason := Unreadable
	if errors.Is(err, errTooLarge) {
		reason = TooLarge
	}
	return &Failure{Reason: reason, Err: fmt.Errorf("request %s: %w", r.Name, err)}
}
