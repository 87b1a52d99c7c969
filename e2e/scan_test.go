package e2e

import (
	"testing"

	"snug/hub"
)

// TestScan: a code read by the camera opens its room; what is no room is said to be none, and so is a camera that is refused, or a browser without
// the reader. Chromium on Linux has none, so the reader and the camera are stood in for at the browser's boundary.
func TestScan(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	link := w.URL + "/" + ann.NewRoom(false)

	ben := w.Person("Ben").Tab("/")
	read[bool](ben, `delete globalThis.BarcodeDetector`)
	ben.Click("Enter with a link")
	ben.Reads("This browser cannot read QR codes.")
	ben.Click("Back")

	read[bool](ben, `(globalThis.seen = ['https://elsewhere.example/'], globalThis.BarcodeDetector = class {
		static getSupportedFormats = async () => ['qr_code'];
		detect = async () => seen.map((rawValue) => ({ rawValue }));
	}, navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); }, true)`)
	ben.Click("Enter with a link")
	ben.Click("Scan a code")
	ben.Reads("The camera is not allowed here.")
	ben.Screenshot("scan-refused")
	ben.Click("Cancel")

	read[bool](ben, `(navigator.mediaDevices.getUserMedia = async () => {
		const canvas = document.createElement('canvas');
		canvas.getContext('2d').fillRect(0, 0, 9, 9);
		const stream = canvas.captureStream(10);
		globalThis.track = stream.getTracks()[0];
		return stream;
	}, true)`)
	ben.Click("Scan a code")
	ben.Reads("This code holds no link to a room.")
	read[bool](ben, `seen.push(`+quoted(link)+`) > 0`)
	ben.Reads("You are invited")
	ben.Await("the camera off", `track.readyState === 'ended'`)
	ben.Enter(false)
	ann.Members(2)
}
