"""Which engines are compared? One module each, all behind `Engine`; what is not installed is left out."""
