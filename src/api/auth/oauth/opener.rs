//! Opens the page on which somebody signs in, in the browser of this machine.
//!
//! Whether one opened can't be known: launchers succeed having opened nothing. So the address is always shown too.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::sync::oneshot;

/// Set where the terminal is of another machine: a browser would open there, or nowhere.
const REMOTE: [&str; 3] = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"];
/// Set where there is a display, or Windows around this system.
const DISPLAYS: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP"];
/// Browsers that take over the terminal, and run none of the scripts of a sign-in page.
const TEXT_BROWSERS: [&str; 9] =
    ["lynx", "links", "links2", "elinks", "w3m", "eww", "netrik", "retawq", "curl"];

/// The reason why no browser was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no browser can be started: {0}")]
pub struct NotOpened(String);

/// Returns whether a browser that is started here is likely to be seen by the person, by the environment variables.
pub fn is_browser_likely(variables: &BTreeMap<String, String>) -> bool {
    is_likely(cfg!(any(windows, target_os = "macos")), variables)
}

fn is_likely(has_desktop: bool, variables: &BTreeMap<String, String>) -> bool {
    let is_set = |name: &&str| variables.get(*name).is_some_and(|value| !value.trim().is_empty());
    !REMOTE.iter().any(is_set) && !is_text(variables) && (has_desktop || DISPLAYS.iter().any(is_set))
}

/// Returns whether the browser that the person chose is one for terminals.
fn is_text(variables: &BTreeMap<String, String>) -> bool {
    let first = variables.get("BROWSER").and_then(|all| all.split([':', ' ']).find(|word| !word.is_empty()));
    let name = first.and_then(|path| Path::new(path).file_name());
    name.is_some_and(|name| TEXT_BROWSERS.iter().any(|text| name == *text))
}

/// Starts the browser, without waiting for it to end.
///
/// # Errors
/// Returns [`NotOpened`] where none is found, or the person's is one for terminals. That none is returned doesn't mean
/// that a page is seen.
pub async fn open_browser(url: &str, variables: &BTreeMap<String, String>) -> Result<(), NotOpened> {
    if is_text(variables) {
        return Err(NotOpened("BROWSER names one that runs in the terminal".to_owned()));
    }
    let (done, opened) = oneshot::channel();
    let url = url.to_owned();
    // Finding a browser asks other programs, which may take their time, and must not hold the process up at its end.
    std::thread::spawn(move || done.send(webbrowser::open(&url)));
    match opened.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotOpened(error.to_string())),
        Err(_) => Err(NotOpened("it was lost".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_likely_where_somebody_sees_it() {
        for (has_desktop, variables, wanted) in [
            (false, &[][..], false),
            (true, &[], true),
            (false, &[("DISPLAY", ":0")], true),
            (false, &[("DISPLAY", " ")], false),
            (false, &[("WAYLAND_DISPLAY", "wayland-0")], true),
            (false, &[("WSL_DISTRO_NAME", "Debian")], true),
            (false, &[("WSL_INTEROP", "/run/WSL/8_interop")], true),
            (false, &[("DISPLAY", "localhost:10.0"), ("SSH_CONNECTION", "a 1 b 2")], false),
            (false, &[("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")], false),
            (true, &[("SSH_CLIENT", "a 1 2")], false),
            (false, &[("DISPLAY", ":0"), ("SSH_CONNECTION", "")], true),
            (false, &[("BROWSER", "firefox")], false),
            (false, &[("DISPLAY", ":0"), ("BROWSER", "firefox")], true),
            (false, &[("DISPLAY", ":0"), ("BROWSER", "/usr/bin/w3m")], false),
            (false, &[("DISPLAY", ":0"), ("BROWSER", "lynx -accept_all_cookies %s:firefox")], false),
            (true, &[("BROWSER", ":elinks")], false),
        ] {
            let map =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(is_likely(has_desktop, &map), wanted, "{variables:?}");
        }
    }

    #[tokio::test]
    async fn a_browser_for_terminals_is_not_started() {
        let variables = BTreeMap::from([("BROWSER".to_owned(), "w3m".to_owned())]);
        let told = open_browser("http://127.0.0.1:1/", &variables).await.unwrap_err().to_string();
        assert_eq!(told, "no browser can be started: BROWSER names one that runs in the terminal");
    }
}
