//! A browser that tests drive as a user would: Debian's Chromium, by its own debugging protocol over a pipe. A driver
//! from a registry would bring a web socket and thousands of generated types for the ten commands that are used here.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a page may take to become what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser without a window.
pub struct Browser {
    process: Child,
    wires: Mutex<Wires>,
    profile: std::path::PathBuf,
}

struct Wires {
    to: ChildStdin,
    from: Receiver<Value>,
    sent: u64,
    /// Events that nobody has asked for yet.
    events: Vec<Value>,
}

impl Browser {
    /// Starts the browser with an empty profile in this folder. None, aloud, where there is none.
    pub fn start(folder: &Path) -> Option<Browser> {
        let there = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if cfg!(not(unix)) || !there.is_ok_and(|status| status.success()) {
            eprintln!("skipped: there is no `chromium` to open the page in");
            return None;
        }
        let profile = folder.join(".browser");
        // The browser reads commands from descriptor 3 and answers on 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"])
            .args(["--remote-debugging-pipe", &format!("--user-data-dir={}", profile.display())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let (sender, from) = channel();
        let answers = BufReader::new(process.stdout.take().expect("it was piped"));
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let to = process.stdin.take().expect("it was piped");
        Some(Browser { process, wires: Mutex::new(Wires { to, from, sent: 0, events: Vec::new() }), profile })
    }

    /// Opens a page in a tab of its own, in a window that wide, in dark colours or in light ones.
    pub fn open(&self, url: &str, width: u32, dark: bool) -> Tab<'_> {
        let target = self.ask("", "Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = self.ask("", "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let tab = Tab { browser: self, session: attached["sessionId"].as_str().expect("a session").into() };
        for domain in ["Page", "Runtime", "Log", "DOM"] {
            tab.ask(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        tab.ask("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        tab.ask("Emulation.setEmulatedMedia", features);
        tab.ask("Page.navigate", json!({ "url": url }));
        tab.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
        tab
    }

    fn ask(&self, session: &str, method: &str, params: Value) -> Value {
        let mut wires = self.wires.lock().expect("no test has panicked here");
        wires.sent += 1;
        let mut message = json!({ "id": wires.sent, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        wires.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        let (id, until) = (wires.sent, Instant::now() + PATIENCE);
        loop {
            let answer = wires.next(until).unwrap_or_else(|| panic!("no answer to {method}"));
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            wires.events.push(answer);
        }
    }
}

impl Wires {
    fn next(&mut self, until: Instant) -> Option<Value> {
        match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended"),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A page.
pub struct Tab<'a> {
    browser: &'a Browser,
    session: String,
}

impl Tab<'_> {
    fn ask(&self, method: &str, params: Value) -> Value {
        self.browser.ask(&self.session, method, params)
    }

    /// The value of an expression of JavaScript, of a promise what it comes to.
    pub fn value(&self, expression: &str) -> Value {
        let wish =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.ask("Runtime.evaluate", wish);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The text of the first element that a selector finds, as it is shown.
    pub fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({})?.innerText", json!(selector)));
        text.as_str().unwrap_or_default().to_string()
    }

    /// Waits until an expression is true.
    pub fn wait(&self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.value(&format!("Boolean({expression})")) != true {
            let page = || self.value("document.body?.innerText");
            assert!(Instant::now() < until, "it does not come to `{expression}`: {}", page());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key and lets it go: a character, `Enter`, `Tab` or an arrow, such as `ArrowRight`.
    pub fn press(&self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            character => character.to_uppercase().bytes().next().unwrap_or_default().into(),
        };
        let text = match key {
            "Enter" => "\r",
            named if named.len() > 1 => "",
            character => character,
        };
        let mut event = json!({ "key": key, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            event["text"] = text.into();
        }
        for kind in ["keyDown", "keyUp"] {
            event["type"] = kind.into();
            self.ask("Input.dispatchKeyEvent", event.clone());
        }
    }

    /// Clicks into the middle of the first element that a selector finds.
    pub fn click(&self, selector: &str) {
        let place = format!(
            "(() => {{ const it = document.querySelector({}); it.scrollIntoView({{ block: 'center' }});
            const at = it.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; }})()",
            json!(selector)
        );
        let place = self.value(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", event);
        }
    }

    /// Chooses a file in the field for files that a selector finds.
    pub fn choose_file(&self, selector: &str, file: &Path) {
        let found = self
            .ask("Runtime.evaluate", json!({ "expression": format!("document.querySelector({})", json!(selector)) }));
        let wish = json!({ "files": [file], "objectId": found["result"]["objectId"] });
        self.ask("DOM.setFileInputFiles", wish);
    }

    /// What opens the browser's window for files when it is done, `open`, gets this file there.
    pub fn choose_file_in_window(&self, file: &Path, open: impl FnOnce()) {
        self.ask("Page.setInterceptFileChooserDialog", json!({ "enabled": true }));
        open();
        let opened = self.event("Page.fileChooserOpened");
        self.ask("DOM.setFileInputFiles", json!({ "files": [file], "backendNodeId": opened["backendNodeId"] }));
    }

    /// Pastes a file into the page, or drops it there: `paste` on the body, `drop` on an element.
    pub fn hand_over(&self, how: &str, selector: &str, file: &Path, kind: &str) {
        let bytes = std::fs::read(file).expect("the file is there");
        let script = format!(
            "(() => {{ const data = new DataTransfer();
            data.items.add(new File([new Uint8Array({bytes:?})], 'photo', {{ type: {kind:?} }}));
            const all = {{ bubbles: true, cancelable: true }};
            document.querySelector({selector:?}).dispatchEvent({how:?} === 'paste'
              ? new ClipboardEvent('paste', {{ ...all, clipboardData: data }})
              : new DragEvent('drop', {{ ...all, dataTransfer: data }})); }})()"
        );
        self.value(&script);
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.value("window.before = true");
        self.ask("Page.reload", json!({}));
        self.wait("!window.before && document.readyState === 'complete'");
    }

    /// Whether the page is wider than its window.
    pub fn scrolls_sideways(&self) -> bool {
        self.value("document.documentElement.scrollWidth > innerWidth") == true
    }

    /// What the page has complained of so far: exceptions that nobody caught, and what its own rules forbid.
    pub fn complaints(&self) -> Vec<String> {
        self.value("0");
        let wires = self.browser.wires.lock().expect("no test has panicked here");
        let ours = wires.events.iter().filter(|event| event["sessionId"] == *self.session);
        let told = ours.filter_map(|event| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(event["params"]["exceptionDetails"].to_string()),
            // An answer that is no success is written there too, and is the page's to handle.
            "Log.entryAdded" if event["params"]["entry"]["source"] != "network" => {
                Some(event["params"]["entry"].to_string())
            }
            _ => None,
        });
        told.collect()
    }

    /// The next event of that name, which may have come before.
    fn event(&self, name: &str) -> Value {
        let mut wires = self.browser.wires.lock().expect("no test has panicked here");
        let until = Instant::now() + PATIENCE;
        let is_it = |event: &Value| event["sessionId"] == *self.session && event["method"] == name;
        loop {
            if let Some(place) = wires.events.iter().position(is_it) {
                return wires.events.remove(place)["params"].clone();
            }
            let next = wires.next(until).unwrap_or_else(|| panic!("{name} does not come"));
            wires.events.push(next);
        }
    }
}
