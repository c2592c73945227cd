//! Links between pages lead somewhere.

use std::fs;

use super::{docs, root};

/// The targets of a page's links, code left out.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let prose = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')'))).map(|(target, _)| target.to_owned()).collect()
}

/// A heading as mdBook names it in links.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn links_between_pages_lead_to_a_page_and_a_heading() {
    let mut followed = 0;
    for (page, text) in docs() {
        for link in links(&text).iter().filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, heading)| (file, Some(heading)));
            let path = root().join(&page);
            let path = if file.is_empty() { path } else { path.parent().unwrap().join(file) };
            let target = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {link}: {error}"));
            if let Some(heading) = heading {
                let mut headings = target.lines().filter_map(|line| line.strip_prefix('#')).map(|line| anchor(line.trim_start_matches('#')));
                assert!(headings.any(|there| there == heading), "{page}: {link}: there is no such heading");
            }
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed} links");
}
