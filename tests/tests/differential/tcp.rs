//! TCP connections.

use inproxy_tests::TcpProbe;

use crate::case::{Step::*, cases};

/// What the probe reads in each callback.
const READ: &str = r"
    new_connection: get_buffer 2 0 9
    downstream_data: get_buffer 2 0 100
    downstream_data: get_buffer 3 0 100
    downstream_data: get_buffer_status 2
    upstream_data: get_buffer 3 0 100
    upstream_data: get_buffer_status 3
    downstream_close: get_buffer 2 0 9
    upstream_close: get_buffer 3 0 9
    log: get_buffer 2 0 9
";

cases! {
    tcp_the_client_ends: TcpProbe,
        |proxy| proxy.configure_text(READ),
        [Connect, Say("abc"), Hear("abc"), Say("defg"), Hear("defg"), Finish, Wait(50)];

    tcp_the_client_breaks_off: TcpProbe,
        |proxy| proxy.configure_text("downstream_data: return 1"),
        [Connect, Say("abc"), Wait(30), Break, Wait(50)];

    tcp_data_is_changed: TcpProbe,
        |proxy| proxy.configure_text("downstream_data: set_buffer 2 0 0 xy\ndownstream_data: set_buffer 2 1 1 z\ndownstream_data: set_buffer 3 0 1 z\ndownstream_data: return 1"),
        [Connect, Say("abc"), Wait(30), Break, Wait(50)];

    tcp_a_connection_is_closed: TcpProbe,
        |proxy| proxy.configure_text("downstream_data: close_stream 2\ndownstream_data: return 1"),
        [Connect, Say("abc"), Wait(50), Break, Wait(30)];
}
