//! Reads ten headers: on the bare ABI, with all headers in one call, looked through where they lie. This is the limit.

#![cfg(target_family = "wasm")]
#![allow(unsafe_code, unreachable_pub, missing_docs, reason = "this speaks the ABI by hand, in one thread")]

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_send_local_response(s: u32, d: *const u8, dn: usize, b: *const u8, bn: usize, h: *const u8, hn: usize, grpc: i32) -> u32;
}

const NAMES: [&[u8]; 10] = [b"x-h0", b"x-h1", b"x-h2", b"x-h3", b"x-h4", b"x-h5", b"x-h6", b"x-h7", b"x-h8", b"x-h9"];

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
pub extern "C" fn proxy_on_context_create(_: u32, _: u32) {}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(_: u32) {}

#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(_: u32, _: u32, _: u32) -> u32 {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: both are live places; what comes back is a vector of that capacity.
    let all = unsafe {
        proxy_get_header_map_pairs(0, &raw mut data, &raw mut size);
        if data.is_null() { Vec::new() } else { Vec::from_raw_parts(data, size, size) }
    };
    let found = NAMES.iter().filter(|name| find(&all, name).is_some_and(|value| !value.is_empty())).count();
    if found < NAMES.len() {
        let none = std::ptr::null();
        // SAFETY: nothing is passed but numbers.
        unsafe { proxy_send_local_response(403, none, 0, none, 0, none, 0, -1) };
        return 1;
    }
    0
}

fn find<'a>(all: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (count, rest) = all.split_first_chunk::<4>()?;
    let lengths = rest.as_chunks::<8>().0.get(..u32::from_le_bytes(*count) as usize)?;
    let mut at = 4 + size_of_val(lengths);
    for [a, b, c, d, value @ ..] in lengths {
        let (name_size, value_size) = (u32::from_le_bytes([*a, *b, *c, *d]) as usize, u32::from_le_bytes(*value) as usize);
        if all.get(at..at + name_size) == Some(name) {
            return all.get(at + name_size + 1..at + name_size + 1 + value_size);
        }
        at += name_size + value_size + 2;
    }
    None
}
