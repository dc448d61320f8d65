package httpserver

import (
	"errors"
	"net/http"
	"runtime/debug"

	"go.uber.org/zap"
)

// recoverer turns a panic into a 500, or cuts the connection where the answer had begun: a client must not take half an
// answer for a whole one.
func recoverer(next http.Handler, m *metrics, log *zap.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler) // the handler's way to cut the connection
			}
			m.panics.Inc()
			log.Error("a handler panicked", zap.String("method", r.Method), zap.String("path", r.URL.Path),
				zap.Any("cause", cause), zap.ByteString("stack", debug.Stack()))
			if out, ok := w.(*recorder); ok && out.status != 0 {
				panic(http.ErrAbortHandler)
			}
			WriteError(w, http.StatusInternalServerError, "internal", "the server failed on this request; it was logged")
		}()
		next.ServeHTTP(w, r)
	})
}
