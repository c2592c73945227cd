use std::{collections::BTreeSet, error::Error};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

/// What is made of a .proto file, by full names that begin with a dot.
pub(super) struct Wanted {
    /// These, and what is in them.
    pub(super) messages: &'static [&'static str],
    /// Fields that are left out: on the wire they are skipped, as those of newer versions are.
    pub(super) without: &'static [&'static str],
    /// Enums that are left out: their fields are numbers, as they are on the wire.
    pub(super) as_numbers: &'static [&'static str],
}

/// Leaves what is wanted, in the files that it is in.
///
/// # Errors
///
/// If something that is to be left out is not there.
pub(super) fn prune(mut all: FileDescriptorSet, wanted: &Wanted) -> Result<FileDescriptorSet, Box<dyn Error>> {
    let mut without = BTreeSet::from_iter(wanted.without.iter().copied());
    for file in &mut all.file {
        let scope = scope("", file.package());
        for message in &mut file.message_type {
            narrow(message, &scope, wanted, &mut without);
        }
    }
    if let Some(name) = without.first() {
        return Err(format!("{name} is to be left out, but is not there").into());
    }
    let reached = reached(&all, wanted.messages);
    for file in &mut all.file {
        let scope = scope("", file.package());
        retain(&mut file.message_type, &mut file.enum_type, &scope, &reached);
        file.service.clear();
        file.extension.clear();
    }
    all.file.retain(|file| !file.message_type.is_empty() || !file.enum_type.is_empty());
    let files = BTreeSet::from_iter(all.file.iter().map(|file| file.name().to_owned()));
    for file in &mut all.file {
        file.dependency.retain(|name| files.contains(name));
    }
    Ok(all)
}

fn scope(outer: &str, name: &str) -> String {
    format!("{outer}.{name}")
}

/// Leaves out fields, and what groups none of them any more.
fn narrow(message: &mut DescriptorProto, outer: &str, wanted: &Wanted, without: &mut BTreeSet<&str>) {
    let scope = scope(outer, message.name());
    message.field.retain(|field| {
        let name = format!("{scope}.{}", field.name());
        without.remove(name.as_str());
        !wanted.without.contains(&name.as_str())
    });
    for field in &mut message.field {
        if wanted.as_numbers.contains(&field.type_name()) {
            field.set_type(Type::Int32);
            field.type_name = None;
        }
    }
    let used = BTreeSet::from_iter(message.field.iter().filter_map(|field| field.oneof_index));
    let places: Vec<i32> = used.into_iter().collect();
    let mut place = -1;
    message.oneof_decl.retain(|_| {
        place += 1;
        places.contains(&place)
    });
    for field in &mut message.field {
        field.oneof_index = field.oneof_index.and_then(|old| places.iter().position(|place| *place == old)).and_then(|new| new.try_into().ok());
    }
    for nested in &mut message.nested_type {
        narrow(nested, &scope, wanted, without);
    }
}

/// The names of messages and enums that these messages have in them, and their own.
fn reached(all: &FileDescriptorSet, messages: &[&str]) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> = messages.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = next.pop() {
        if let Some(message) = find(all, &name) {
            next.extend(message.field.iter().filter_map(|field| field.type_name.clone()).filter(|of| !reached.contains(of)));
        }
        reached.insert(name);
    }
    reached
}

fn find<'a>(all: &'a FileDescriptorSet, name: &str) -> Option<&'a DescriptorProto> {
    fn within<'a>(messages: &'a [DescriptorProto], outer: &str, name: &str) -> Option<&'a DescriptorProto> {
        messages.iter().find_map(|message| {
            let scope = scope(outer, message.name());
            if scope == name { Some(message) } else { within(&message.nested_type, &scope, name) }
        })
    }
    all.file.iter().find_map(|file| within(&file.message_type, &scope("", file.package()), name))
}

fn retain(messages: &mut Vec<DescriptorProto>, enums: &mut Vec<EnumDescriptorProto>, outer: &str, reached: &BTreeSet<String>) {
    enums.retain(|one| reached.contains(&scope(outer, one.name())));
    for message in &mut *messages {
        let scope = scope(outer, message.name());
        retain(&mut message.nested_type, &mut message.enum_type, &scope, reached);
    }
    messages.retain(|message| reached.contains(&scope(outer, message.name())) || !message.nested_type.is_empty());
}
