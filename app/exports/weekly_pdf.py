"""The weekly page as PDF. Needs the extra `pdf`, and Pango from the system."""

from __future__ import annotations

import base64

from analysis.weekly import WeeklySummary
from app.exports import weekly_html
from app.settings import ReportSettings
from ingest.errors import UsageError


class NoPdf(UsageError):
    """What makes PDF is not installed."""


def render(summary: WeeklySummary, settings: ReportSettings, picture: bytes | None) -> bytes:
    """The page as PDF/1.7, the same bytes each time. Nothing outside of the page itself is fetched."""
    try:
        import weasyprint  # noqa: PLC0415 - slow, large and optional
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise NoPdf(
            f"PDF needs the extra 'pdf' and the library Pango: {error}.".splitlines()[0],
            "pip install 'whosends[pdf]'; on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0.",
        ) from None
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""
    html = weekly_html.render(summary, settings, source)
    page = """
        @page { size: A4; margin: 14mm }
        body { background: #FFFFFF !important; padding: 0 !important }
        h2, h2 + table tr:first-child { break-after: avoid }
        h2 + table tr { break-inside: avoid }
    """
    inside = URLFetcher(allowed_protocols=["data"])
    document = weasyprint.HTML(string=html, url_fetcher=inside).render(
        stylesheets=[weasyprint.CSS(string=page)], presentational_hints=True
    )
    made: bytes = document.write_pdf(pdf_identifier=b"whosends", custom_metadata=False)
    return made
