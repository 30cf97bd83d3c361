using System.Text;
using Scion.Datasets;
using Scion.Faults;

namespace Scion.Tests.Datasets;

public sealed class SettingsFileTests
{
    [Fact]
    public void Read_Nothing_GivesDefaults() => Assert.Equal(new ReviewSettings(), SettingsFile.Read<ReviewSettings>(null, []));

    [Fact]
    public void Read_FileAndOverrides_OverridesWin()
    {
        byte[] json = "\uFEFF{\"columns\":{\"text\":\"body\",\"label\":null},\"delimiter\":\"\\t\",\"embedding\":{\"dim\":50,\"rate\":0.1},\"split\":{\"testShare\":0.3},\"seed\":7}"u8.ToArray();

        ReviewSettings settings = SettingsFile.Read<ReviewSettings>(json, [new("embedding.dim", "25"), new("columns.text", "review"), new("split.testShare", "0.25"), new("head", "logistic"), new("embedding.rate", "")]);

        Assert.Equal(new ReviewSettings { Columns = new("review"), Delimiter = "\t", Embedding = new() { Dim = 25 }, Split = new() { TestShare = 0.25 }, Head = "logistic", Seed = 7 }, settings);
    }

    [Fact]
    public void Read_ManyMistakes_NamesThemAllAtOnce()
    {
        byte[] json = """{"colums":{"text":"a"},"seed":"seven","embedding":{"dims":50,"epochs":1.5},"columns":"text","split":{"testShare":[0.2]}}"""u8.ToArray();

        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => SettingsFile.Read<ReviewSettings>(json, [new("dim", "3"), new("seed", "x"), new("presett", "article")]));

        Assert.Equal("D402: There is no setting 'colums'; the nearest is 'columns.text'. seed is \"seven\"; a whole number is expected. There is no setting 'embedding.dims'; the nearest is 'embedding.dim'. " +
            "embedding.epochs is 1.5; a whole number is expected. columns is \"text\"; an object with label, split, text is expected. split.testShare is a list; a number is expected. " +
            "There is no setting 'dim'; the nearest is 'embedding.dim'. seed is 'x'; a whole number is expected. There is no setting 'presett'; the nearest is 'preset'. " +
            "Correct them in dataset.json or with --set; 'scion train reviews --help' lists the settings.", fault.Message);
    }

    [Fact]
    public void Read_ValuesOutOfRange_NamesThemAllAtOnce()
    {
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => SettingsFile.Read<ReviewSettings>(null, [new("split.testShare", "0.9"), new("split.crossValidateBelow", "-1"), new("encoding", "latin-1"),
            new("delimiter", ",,"), new("head", "tree"), new("encoder", "encoders/xyz"), new("embedding.dim", "0"), new("embedding.window", "65")]));

        Assert.Equal("D402: delimiter is ',,'; one ASCII character other than a quote or line end is expected (a tab is \"\\t\"). " +
            "encoding is 'latin-1'; one of 'utf-8', 'utf-16le', 'utf-16be', 'windows-1252' is expected. head is 'tree'; one of 'auto', 'logistic', 'nearest-mean' is expected. " +
            "encoder is 'encoders/xyz'; 'auto', or 'own', 'default', 'continued' or 'encoders/' and 64 hex digits as 'scion encoders import' prints them, one or several with commas, are expected. split.testShare is 0.9; it must be 0.05 to 0.5. " +
            "split.crossValidateBelow is -1; it must be 0 to 1000000. embedding.dim is 0; it must be 1 to 1024. embedding.window is 65; it must be 0 (the whole text) to 64. " +
            "Correct them in dataset.json or with --set; 'scion train reviews --help' lists the settings.", fault.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"seed\":1,\"seed\":2}")]
    [InlineData("{\"seed\":1,}")]
    [InlineData("{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}")]
    [InlineData("{\"seed\":1e999")]
    public void Read_FileThatIsNoJsonObject_IsRefused(string json) =>
        Assert.Equal("D401", Assert.Throws<InputRejectedException>(() => SettingsFile.Read<ReviewSettings>(Encoding.UTF8.GetBytes(json), [])).Code);

    [Fact]
    public void Describe_EveryKey_HasTypeDefaultAndMeaningAndCanBeSet()
    {
        Assert.Contains(new SettingDescription("split.testShare", "number", "0.2", "Share of labelled rows held out by content hash when none is given and there are enough: 0.05 to 0.5."), SettingsFile.Describe<ReviewSettings>());
        Assert.Contains(new SettingDescription("embedding.dim", "whole number", "the preset's", "Components of a word vector: 1 to 1024."), SettingsFile.Describe<ReviewSettings>());
        Assert.Contains(new SettingDescription("columns.text", "text", "found by usual names", "Column or JSONL field that holds the review; #1 is the first column of a file without a header."), SettingsFile.Describe<ReviewSettings>());
        foreach (SettingDescription setting in SettingsFile.Describe<ReviewSettings>())
        {
            Assert.True(setting.Meaning.Length > 10 && setting.Default is not ("" or "found"), setting.Key);
            string value = setting.Type switch { "whole number" => setting.Key == "embedding.rounds" ? "1" : "17", "number" => "0.25",
                _ => setting.Key switch { "delimiter" => ";", "encoding" => "utf-8", "preset" => "article", "head" => "logistic", "encoder" => "own", "wordCounts" => "none", "embedding.trainer" => "torch", _ => "name" } };

            ReviewSettings settings = SettingsFile.Read<ReviewSettings>(null, [new(setting.Key, value)]);

            if (setting.Key != "encoder") Assert.NotEqual(new ReviewSettings(), settings);
        }
    }
}
