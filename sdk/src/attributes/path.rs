use super::AttributeError;

/// One segment of a path, or several: `"sub"`, `["payload", "sub"]`. The elements of a list are counted from `"0"`.
pub trait Keys: sealed::Sealed {
    #[doc(hidden)]
    fn each(&self, visit: &mut dyn FnMut(&str));
}

/// Adds segments to a path.
pub(super) fn join(path: &str, keys: impl Keys) -> Result<String, AttributeError> {
    add(path, &keys)
}

// Not generic: one is enough for a module.
pub(super) fn add(path: &str, keys: &dyn Keys) -> Result<String, AttributeError> {
    let mut length = path.len();
    keys.each(&mut |key| length += 1 + key.len());
    let mut joined = String::with_capacity(length);
    joined.push_str(path);
    let mut sound = true;
    keys.each(&mut |key| {
        sound &= !key.is_empty() && !key.contains('\0');
        if !joined.is_empty() {
            joined.push('\0');
        }
        joined.push_str(key);
    });
    if sound { Ok(joined) } else { Err(AttributeError::Segment) }
}

impl Keys for &str {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        visit(self);
    }
}

impl Keys for &String {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        visit(self);
    }
}

impl Keys for &[&str] {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        self.iter().for_each(|key| visit(key));
    }
}

impl<const N: usize> Keys for &[&str; N] {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        self.iter().for_each(|key| visit(key));
    }
}

impl<const N: usize> Keys for [&str; N] {
    fn each(&self, visit: &mut dyn FnMut(&str)) {
        self.iter().for_each(|key| visit(key));
    }
}

pub(super) mod sealed {
    pub trait Sealed {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for &[&str] {}
    impl<const N: usize> Sealed for &[&str; N] {}
    impl<const N: usize> Sealed for [&str; N] {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_joined_by_nul() {
        assert_eq!(join("", "a"), Ok("a".to_owned()));
        assert_eq!(join("a\0b", ["c", "d.e"]), Ok("a\0b\0c\0d.e".to_owned()));
        assert_eq!(join("a", &["b"][..]), Ok("a\0b".to_owned()));
        assert_eq!(join("a", []), Ok("a".to_owned()));
    }

    #[test]
    fn a_segment_that_would_be_another_path_is_refused() {
        for keys in [&["a", ""][..], &["a\0b"], &["\0"], &[""]] {
            assert_eq!(join("metadata", keys), Err(AttributeError::Segment), "{keys:?}");
        }
    }
}
