using System.Text;
using CsCheck;
using Scion.Datasets;

namespace Scion.Tests.Datasets;

public sealed class ExportCsvTests
{
    const string Letters = "=+-@\t\r\n\0'\",aé ";

    [Theory]
    [InlineData("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\tx", "'\tx")]
    [InlineData("\0x", "'\0x")]
    [InlineData("\nx", "\"'\nx\"")]
    [InlineData("a,\"b\"", "\"a,\"\"b\"\"\"")]
    [InlineData("'tis", "'tis")]
    [InlineData("'=1", "''=1")]
    [InlineData("a = b", "a = b")]
    public void Cell_ThatASpreadsheetWouldRun_IsMadeText(string cell, string expected)
    {
        StringBuilder csv = new();

        ExportCsv.Append(csv, cell, "x");

        Assert.Equal(expected + ",x\n", csv.ToString());
    }

    [Fact]
    public void Cells_WrittenAndReadBack_AreTheSame() =>
        Gen.Int[0, Letters.Length - 1].Select(i => Letters[i]).Array[0, 8].Select(chars => new string(chars)).Array[2, 4].Array[1, 5].Sample(rows =>
        {
            StringBuilder csv = new();
            foreach (string[] row in rows) ExportCsv.Append(csv, row);

            List<string[]> read = PlainCsv.Read(csv.ToString(), ',');

            Assert.Equal(rows, read.Select(row => row.Select(ExportCsv.Undo).ToArray()));
            Assert.DoesNotContain(read.SelectMany(row => row), cell => cell.Length > 0 && "=+-@\t\r\n\0".Contains(cell[0], StringComparison.Ordinal));
        });
}
