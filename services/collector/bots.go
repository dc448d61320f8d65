package collector

import (
	"net/http"

	"github.com/mileusna/useragent"

	"github.com/throughline-io/throughline/pipelines/workspace"
)

// sender is whose request it is.
type sender struct {
	workspace.FoundKey
	// bot: a browser's request that does not come from a person's browser.
	bot bool
}

func senderOf(key workspace.FoundKey, r *http.Request) sender {
	return sender{key, key.Public && isBot(r.UserAgent())}
}

// isBot reports that a browser's request comes from a crawler, a monitor or a script, by what it calls itself. One that pretends to be
// a browser is not told.
func isBot(agent string) bool { return agent != "" && useragent.Parse(agent).Bot }
