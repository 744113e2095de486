/// A request makes some dozens of small allocations, and this one is the faster at those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    keywarden::run()
}
