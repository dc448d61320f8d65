package reports

import (
	"context"
	"fmt"
)

// LargePerson is somebody with very many identifiers.
type LargePerson struct {
	Workspace   string `json:"workspace"`
	Person      string `json:"person_id"`
	Identifiers uint64 `json:"identifiers"`
}

// maxLarge bounds how many are listed.
const maxLarge = 100

// LargePersons lists people with more identifiers than most, the largest first.
func LargePersons(ctx context.Context, db DB, most int) ([]LargePerson, error) {
	rows, err := db.Query(ctx, fmt.Sprintf(`SELECT workspace, toString(person_id), count() AS n FROM throughline.identities
		GROUP BY workspace, person_id HAVING n > %d ORDER BY n DESC, workspace, person_id LIMIT %d`, most, maxLarge))
	if err != nil {
		return nil, fmt.Errorf("people with many identifiers: %w", err)
	}
	defer rows.Close()
	out := []LargePerson{}
	for rows.Next() {
		var p LargePerson
		if err := rows.Scan(&p.Workspace, &p.Person, &p.Identifiers); err != nil {
			return nil, fmt.Errorf("people with many identifiers: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
