fn main() -> std::process::ExitCode {
    keywarden::run()
}
