use saphyr_parser::{Event, Parser};

/// The entries of `whitelist`, as they are written; what else the mapping has is passed over. Aliases are refused: a list has no use for them, and a few lines of them can stand for billions.
pub(super) fn whitelist(text: &str) -> Result<Vec<String>, String> {
    let mut events = Parser::new_from_str(text).map(|event| event.map(|(event, _)| event).map_err(|error| error.to_string()));
    let mut next = || events.next().unwrap_or(Ok(Event::StreamEnd));
    let mut found = None;
    loop {
        match next()? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::MappingStart(..) => break,
            _ => return Err("it is not a mapping".to_owned()),
        }
    }
    loop {
        let key = match next()? {
            Event::Scalar(key, ..) => key,
            Event::MappingEnd => break,
            _ => return Err("a key is not a text".to_owned()),
        };
        match (&*key, next()?) {
            ("whitelist", Event::SequenceStart(..)) if found.is_none() => found = Some(sequence(&mut next)?),
            ("whitelist", _) => return Err("whitelist is not one list".to_owned()),
            (_, value) => pass_over(value, &mut next)?,
        }
    }
    match (next()?, next()?) {
        (Event::DocumentEnd, Event::StreamEnd) => found.ok_or_else(|| "it has no whitelist".to_owned()),
        _ => Err("there is more than one document".to_owned()),
    }
}

fn sequence<'a>(next: &mut impl FnMut() -> Result<Event<'a>, String>) -> Result<Vec<String>, String> {
    let mut entries = Vec::new();
    loop {
        match next()? {
            Event::Scalar(entry, ..) => entries.push(entry.into_owned()),
            Event::SequenceEnd => return Ok(entries),
            _ => return Err("an entry of whitelist is not a text".to_owned()),
        }
    }
}

/// The rest of a value.
fn pass_over<'a>(first: Event<'a>, next: &mut impl FnMut() -> Result<Event<'a>, String>) -> Result<(), String> {
    let (mut event, mut depth) = (first, 0_usize);
    loop {
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            Event::Scalar(..) | Event::Nothing => {}
            _ => return Err("it has an alias".to_owned()),
        }
        if depth == 0 {
            return Ok(());
        }
        event = next()?;
    }
}
