#!/usr/bin/env python3
"""Makes the workbooks of this folder, and those of samples, with the programs that people have.

    python3 -m venv venv && venv/bin/pip install openpyxl==3.1.5 msoffcrypto-tool==6.1.0
    venv/bin/python tests/workbooks/make.py     # soffice (LibreOffice Calc) has to be there, too

The workbooks are committed, since their bytes differ from run to run; whoever changes one makes all of them
anew. People in them are fictional.
"""

import csv
import datetime as dt
import pathlib
import subprocess
import tempfile

import msoffcrypto.format.ooxml as ooxml
import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HERE = pathlib.Path(__file__).parent
SAMPLES = HERE.parent.parent / "samples"
DAY = dt.datetime(2026, 11, 29)


def referral(number):
    return f"5a1e0001-0000-4000-8000-{number:012}"


def save(book, name, folder=HERE):
    book.properties.created = book.properties.modified = DAY
    book.properties.creator = "make.py"
    book.save(folder / name)


def deals(book):
    """A sheet with a cell of every type."""
    sheet = book.active
    sheet.title = "Deals"
    sheet.append(["id", "eTag", "Deal Value", "Close Date", "CRM ID", "Notes", "consentToShareReferralWithMicrosoftSellers"])
    rows = [
        # a number, a day, a reference with zeros in front as text, a text that looks like a formula
        [referral(15), None, 12500.5, dt.date(2027, 1, 31), "000123", "'=1+1 is no formula", True],
        # what is computed, a time, a number in a reference
        [referral(17), None, "=C2*2", dt.datetime(2027, 1, 31, 17, 30), 123, None, None],
        # a date in a reference, a number without a date's format
        [referral(19), None, 0.1 + 0.2, 46387, dt.date(2027, 3, 12), "plain", False],
        # an error, a time without a day
        [referral(21), None, "#REF!", dt.time(17, 30), "a-1", "#N/A", None],
        [None] * 7,
        # an id that is a number
        [5000000000000000123, None, 1, None, None, None, None],
        [referral(23), None, 12.125, None, None, "2026", None],
        ["Total", None, 5, None, None, None, None],
    ]
    for row in rows:
        sheet.append(row)
    sheet["F7"] = CellRichText("Call ", TextBlock(InlineFont(b=True), "Nora"), " first")
    sheet["A7"] = referral(25)
    sheet["B7"] = '"v1"'
    sheet["E2"].number_format = "@"
    return sheet


def every_type(name, epoch=None):
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    deals(book)
    save(book, name)


def unseen():
    """Titles above the header, hidden rows, columns and sheets, merged cells, a second sheet, a chart."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Deals of Q4"
    sheet.append(["Referrals of the fourth quarter"])
    sheet.append(["as of", dt.date(2026, 11, 29)])
    sheet.append(["Referral ID", "Status", "Substatus", "Reason", None, "Notes"])
    for number in (15, 17, 19):
        sheet.append([referral(number), "Closed", "Lost", "Budget cut", None, "Called"])
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("F4:F5")
    sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions["F"].hidden = True
    other = book.create_sheet("Old deals")
    other.append(["id", "notes"])
    other.append([referral(21), "from the second sheet"])
    book.create_sheet("Lookup").sheet_state = "hidden"
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=3, max_row=6))
    book.create_chartsheet("Figures").add_chart(chart)
    save(book, "unseen.xlsx")


def dynamics():
    """As Dynamics 365 exports a view."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "My Open Opportunities"
    sheet.append(["(Do Not Modify) Opportunity", "(Do Not Modify) Row Checksum", "(Do Not Modify) Modified On",
                  "Referral Identifier", "Est. Close Date", "Amount"])
    sheet.append(["{0C9B9F4E-6A9F-4D9E-9D0E-1F2A3B4C5D6E}", "q3J9tZ0w==", dt.datetime(2026, 11, 28, 9, 15),
                  referral(15), dt.date(2027, 2, 28), 9000])
    for column in "ABC":
        sheet.column_dimensions[column].hidden = True
    hidden = book.create_sheet("hiddenSheet")
    hidden.sheet_state = "veryHidden"
    hidden.append(["opportunity:abc"])
    save(book, "dynamics.xlsx")


def chart_only():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([1, 2, 3])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_col=3))
    book.create_chartsheet("Figures").add_chart(chart)
    book.remove(sheet)
    book.active = 0
    save(book, "chart-only.xlsx")


def plain():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "notes"])
    sheet.append([referral(15), "Called"])
    save(book, "plain.xlsx")


def protected():
    with open(HERE / "plain.xlsx", "rb") as source, open(HERE / "protected.xlsx", "wb") as target:
        ooxml.OOXMLFile(source).encrypt("secret", target)


def libreoffice(source, target):
    """Has LibreOffice read a workbook and save it in its own way, as the target's ending says."""
    with tempfile.TemporaryDirectory() as folder:
        form = target.rsplit(".", 1)[1]
        profile = f"-env:UserInstallation=file://{folder}/profile"
        subprocess.run(["soffice", profile, "--headless", "--convert-to", form, "--outdir", folder, HERE / source],
                       check=True, stdout=subprocess.DEVNULL)
        made = pathlib.Path(folder) / (source.rsplit(".", 1)[0] + "." + form)
        (HERE / target).write_bytes(made.read_bytes())


def sample():
    """The sample of the quarter's end, as somebody would keep it in a workbook."""
    with open(SAMPLES / "quarter-end.csv", newline="") as source:
        rows = list(csv.reader(source))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Quarter end"
    header = rows[0]
    for row in rows:
        sheet.append([typed(name, cell) if row is not header else cell for name, cell in zip(header, row)])
    for column, width in zip("ABCDE", (38, 10, 12, 30, 12)):
        sheet.column_dimensions[column].width = width
    save(book, "quarter-end.xlsx", SAMPLES)


def crm_sample():
    """The sample of a view of Dynamics 365, exported for editing: the first three columns are hidden, and are how
    Dynamics finds its own rows again."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "My Open Opportunities"
    sheet.append(["(Do Not Modify) Opportunity", "(Do Not Modify) Row Checksum", "(Do Not Modify) Modified On",
                  "Topic", "Potential Customer", "Est. Close Date", "Est. Revenue", "Status Reason", "Referral Identifier"])
    rows = [
        # as the connector wrote it: the referral, its engagement, or nothing
        ("A", "Security assessment", "株式会社サンプル商事", dt.date(2030, 6, 30), 97500, "5a1e0002-0000-4000-8000-000000000001"),
        ("B", "Modern workplace roll-out", "Exemple et Fils SARL", dt.date(2028, 9, 30), 475000, "e6000002-0000-4000-8000-000000000002"),
        ("C", "Customer portal", "Granite Peak Outfitters", dt.date(2030, 9, 30), 66250.5, None),
        # a deal that was never a referral
        ("F", "Printer service", "Cedar Point Clinics", dt.date(2027, 5, 31), 1200, None),
    ]
    for key, topic, customer, day, revenue, referral_id in rows:
        guid = "{0C9B9F4E-6A9F-4D9E-9D0E-1F2A3B4C5D0" + key + "}"
        sheet.append([guid, "q3J9tZ0w==" + key, dt.datetime(2026, 11, 27, 9, 15), topic, customer, day, revenue,
                      "In Progress", referral_id])
    for column in "ABC":
        sheet.column_dimensions[column].hidden = True
    for column, width in zip("DEFGHI", (30, 32, 16, 14, 14, 38)):
        sheet.column_dimensions[column].width = width
    for row in sheet.iter_rows(min_row=2, min_col=7, max_col=7):
        row[0].number_format = "#,##0.00"
    hidden = book.create_sheet("hiddenSheet")
    hidden.sheet_state = "veryHidden"
    hidden.append(["opportunity:0C9B9F4E"])
    save(book, "crm-dynamics.xlsx", SAMPLES)


def typed(name, cell):
    if not cell or cell == "\\N":
        return cell or None
    if name == "dealValue":
        return float(cell)
    if name == "closingDateTime" and len(cell) == 10:
        return dt.date.fromisoformat(cell)
    return cell


every_type("openpyxl.xlsx")
every_type("openpyxl-1904.xlsx", CALENDAR_MAC_1904)
unseen()
dynamics()
chart_only()
plain()
protected()
libreoffice("openpyxl.xlsx", "libreoffice.xlsx")
libreoffice("unseen.xlsx", "libreoffice-unseen.xlsx")
libreoffice("plain.xlsx", "old.xls")
libreoffice("plain.xlsx", "open.ods")
sample()
crm_sample()
