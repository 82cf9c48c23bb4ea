"""The web app's entry: what pages there are, and the filters that they share."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.web import filters, notices, pages, theme

HERE = Path(__file__).parent


def main() -> None:
    """Draw the frame, then the page that was asked for."""
    page = pages.navigate()
    theme.apply()
    st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "mark.svg"), size="large")
    with notices.friendly():
        if filters.bar():
            page.run()
        else:
            notices.welcome()
    notices.footer()


if __name__ == "__main__":
    main()
