using System.Text;
using CsCheck;
using Scion.Faults;
using Scion.Registry;

namespace Scion.Tests.Registry;

public sealed class LatestPointerTests
{
    /// <summary>A move as a person or a run makes it: a version's number, or −1 for a rollback.</summary>
    static readonly Gen<int[]> Moves = Gen.Int[-1, 5].Array[1, 40];

    static string Version(int number) => $"20260101-000000-{number:x8}";

    static string Digest(int number) => new((char)('0' + number), 64);

    /// <summary>Applies moves as the registry does, beside a plain stack of versions that serve or served.</summary>
    static (LatestPointer? Pointer, Stack<int> Served) Apply(int[] moves)
    {
        LatestPointer? pointer = null;
        Stack<int> served = new();
        foreach (int move in moves)
        {
            if (move >= 0)
            {
                if (served.TryPeek(out int top) && top == move) continue;
                served.Push(move);
                pointer = LatestPointer.Moved(pointer, PointerAction.Publish, Version(move), Digest(move), DateTimeOffset.UnixEpoch, "A reason.");
            }
            else if (served.Count > 1)
            {
                served.Pop();
                PointerMove back = pointer!.Previous!;
                pointer = LatestPointer.Moved(pointer, PointerAction.Rollback, back.Version, back.Digest, DateTimeOffset.UnixEpoch, "Back.");
            }
        }
        return (pointer, served);
    }

    [Fact]
    public void Previous_AnyMoves_IsTheVersionBelowOnTheStack() => Moves.Sample(moves =>
    {
        (LatestPointer? pointer, Stack<int> served) = Apply(moves);

        Assert.Equal(served.Count == 0 ? null : Version(served.Peek()), pointer?.Version);
        Assert.Equal(served.Count < 2 ? null : Version(served.ElementAt(1)), pointer?.Previous?.Version);
    });

    [Fact]
    public void Parse_WhatWasWritten_IsTheSamePointer() => Moves.Sample(moves =>
    {
        LatestPointer? pointer = Apply(moves).Pointer;
        if (pointer is null) return;

        LatestPointer read = LatestPointer.Parse("films", pointer.ToBytes());

        Assert.Equal(pointer.ToBytes(), read.ToBytes());
        Assert.Equal(Enumerable.Range(1, pointer.Moves.Count).Select(i => (long)i), read.Moves.Select(move => move.Sequence));
    });

    [Fact]
    public void Parse_AnyByteChanged_IsTheSameOrRefusedWithItsCode() => Gen.Select(Moves, Gen.Int[0, int.MaxValue], Gen.Byte).Sample((moves, at, value) =>
    {
        byte[]? bytes = Apply(moves).Pointer?.ToBytes();
        if (bytes is null) return;
        bytes[at % bytes.Length] = value;

        InputRejectedException? fault = Record.Exception(() => LatestPointer.Parse("films", bytes)) as InputRejectedException;

        if (fault is null) Assert.True(VersionName.IsValid(LatestPointer.Parse("films", bytes).Version));
        else Assert.Equal("R009", fault.Code);
    }, iter: 3000);

    [Fact]
    public void Moved_MoreThanItKeeps_DropsTheOldestAndStillRollsBack()
    {
        LatestPointer? pointer = null;
        for (int i = 0; i < LatestPointer.MaxMoves + 50; i++)
            pointer = LatestPointer.Moved(pointer, PointerAction.Publish, Version(i % 6), Digest(i % 6), DateTimeOffset.UnixEpoch, "A reason.");

        Assert.Equal(LatestPointer.MaxMoves, pointer!.Moves.Count);
        Assert.Equal(LatestPointer.MaxMoves + 50, pointer.Moves[^1].Sequence);
        Assert.Equal(Version((LatestPointer.MaxMoves + 48) % 6), LatestPointer.Parse("films", pointer.ToBytes()).Previous!.Version);
    }

    [Fact]
    public void Previous_ItsPublishIsOlderThanTheMovesKept_IsStillTheOneServedBefore()
    {
        PointerMove rolledBack = new(7, PointerAction.Rollback, Version(1), Digest(1), DateTimeOffset.UnixEpoch, "Back.");
        PointerMove published = new(8, PointerAction.Publish, Version(4), Digest(4), DateTimeOffset.UnixEpoch, "Better.");
        LatestPointer pointer = new(1, Version(4), Digest(4), [rolledBack, published]);

        Assert.Equal(Version(1), pointer.Previous!.Version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"schemaVersion\":1,\"version\":null,\"digest\":null,\"moves\":null}")]
    [InlineData("{\"schemaVersion\":1,\"version\":\"../../evil\",\"digest\":\"00\",\"moves\":[]}")]
    [InlineData("{\"schemaVersion\":1,\"schemaVersion\":1}")]
    [InlineData("{\"schemaVersion\":9}")]
    public void Parse_NoPointer_IsRefusedWithARemedy(string json)
    {
        InputRejectedException fault = Assert.Throws<InputRejectedException>(() => LatestPointer.Parse("films", Encoding.UTF8.GetBytes(json)));

        Assert.Equal("R009", fault.Code);
        Assert.Equal("Run 'scion models promote films VERSION', which writes it anew.", fault.Remedy);
    }
}
