"""The 8x8 dynamic campaign API: what is known of the vendor, and nothing of the rest of syncd."""
