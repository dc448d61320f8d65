// Package sealed keeps what a sender sent so that nobody reads a client's phone or e-mail in it: encrypted under a key that derives from
// the workspace's pepper. What was sealed for one purpose and one workspace opens for no other.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Purposes. They are part of the keys: never change one.
const (
	DeadLetters = "throughline dead letters"
	Fetches     = "throughline fetches"
	Tokens      = "throughline tokens"
)

// Seal encrypts an item.
func Seal(purpose, workspace string, pepper, item []byte) ([]byte, error) {
	gcm, err := aead(purpose, pepper)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(item)+gcm.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	return gcm.Seal(nonce, nonce, item, []byte(workspace)), nil
}

// Open is the item that was sealed.
func Open(purpose, workspace string, pepper, b []byte) ([]byte, error) {
	gcm, err := aead(purpose, pepper)
	if err != nil {
		return nil, err
	}
	n := gcm.NonceSize()
	if len(b) < n {
		return nil, errors.New("sealed: cut short")
	}
	item, err := gcm.Open(nil, b[:n], b[n:], []byte(workspace))
	if err != nil {
		return nil, fmt.Errorf("sealed: cannot be opened with this workspace's pepper: %w", err)
	}
	return item, nil
}

func aead(purpose string, pepper []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, pepper, nil, purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	return cipher.NewGCM(block)
}
