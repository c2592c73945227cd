//! Checks one header, sets one request header, adds one response header: on the bare ABI, with a map of contexts and not one export that it does not need. This is the limit.

#![cfg(target_family = "wasm")]
#![allow(unsafe_code, unreachable_pub, static_mut_refs, missing_docs, reason = "this speaks the ABI by hand, in one thread")]

use std::collections::BTreeMap;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_value(map: u32, name: *const u8, name_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_add_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_send_local_response(s: u32, d: *const u8, dn: usize, b: *const u8, bn: usize, h: *const u8, hn: usize, grpc: i32) -> u32;
}

const REQUEST: u32 = 0;
const RESPONSE: u32 = 2;

/// Streams, each with whether it has been answered.
static mut STREAMS: BTreeMap<u32, bool> = BTreeMap::new();

fn streams() -> &'static mut BTreeMap<u32, bool> {
    // SAFETY: a module has one thread, and no callback is called within another.
    unsafe { &mut STREAMS }
}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut bytes = Vec::<u8>::with_capacity(size);
    let data = bytes.as_mut_ptr();
    std::mem::forget(bytes);
    data
}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    if parent != 0 {
        streams().insert(context, false);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(context: u32) {
    streams().remove(&context);
}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(context: u32, _: u32, _: u32) -> u32 {
    let Some(answered) = streams().get_mut(&context) else { return 0 };
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: pointers and lengths are of live texts and places; the value is a vector of that capacity.
    unsafe {
        let status = proxy_get_header_map_value(REQUEST, b"x-key".as_ptr(), 5, &raw mut data, &raw mut size);
        let key = if data.is_null() { Vec::new() } else { Vec::from_raw_parts(data, size, size) };
        if status != 0 || key != b"secret" {
            *answered = true;
            let none = std::ptr::null();
            proxy_send_local_response(403, none, 0, none, 0, none, 0, -1);
            return 1;
        }
        proxy_replace_header_map_value(REQUEST, b"x-checked".as_ptr(), 9, b"yes".as_ptr(), 3);
    }
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_headers(context: u32, _: u32, _: u32) -> u32 {
    if streams().get(&context) == Some(&false) {
        // SAFETY: pointers and lengths are of live texts.
        unsafe { proxy_add_header_map_value(RESPONSE, b"x-served".as_ptr(), 8, b"yes".as_ptr(), 3) };
    }
    0
}
