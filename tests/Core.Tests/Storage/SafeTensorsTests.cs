using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Scion.Faults;
using Scion.Storage;

namespace Scion.Tests.Storage;

public sealed class SafeTensorsTests
{
    static readonly Gen<(float[], int[], byte[], string)> Contents = Gen.Select(Gen.Float.Array[0, 60], Gen.Int.Array[0, 20], Gen.Byte.Array[0, 20], Gen.String);

    static byte[] WithHeader(string header, int data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }

    [Fact]
    public void Parse_WhatWasWritten_HoldsTheSame() => Contents.Sample((floats, ints, bytes, note) =>
    {
        string text = new([.. note.Where(c => !char.IsSurrogate(c))]);
        SafeTensors file = new() { Metadata = { ["note"] = text } };
        file.Add("floats", floats, floats.Length);
        file.Add("ints", ints, 1, ints.Length);
        file.Add("bytes", bytes, bytes.Length);

        SafeTensors read = SafeTensors.Parse(file.ToBytes());

        Assert.Equal(floats, read.Floats("floats", -1));
        Assert.Equal(ints, read.Ints("ints", 1, -1));
        Assert.Equal(bytes, read.Bytes("bytes", bytes.Length));
        Assert.Equal(text, read.Metadata["note"]);
        Assert.Equal(file.ToBytes(), read.ToBytes());
    });

    [Fact]
    public void Parse_AnyMutation_IsReadOrRefusedWithoutALargeAllocation()
    {
        SafeTensors file = new();
        file.Add("a", new float[12], 3, 4);
        file.Add("b", new int[5], 5);
        byte[] bytes = file.ToBytes();
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte, Gen.Int[0, 2]).Sample((at, value, kind) =>
        {
            byte[] mutated = kind switch { 0 => [.. bytes[..at], value, .. bytes[(at + 1)..]], 1 => bytes[..at], _ => [.. bytes[..at], value, .. bytes[at..]] };
            long before = GC.GetAllocatedBytesForCurrentThread();

            Exception? fault = Record.Exception(() => SafeTensors.Parse(mutated).Floats("a", 3, 4));

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 18);
            if (fault is not null) Assert.StartsWith("S00", Assert.IsType<InputRejectedException>(fault).Code, StringComparison.Ordinal);
        }, iter: 20_000);
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8)]
    [InlineData("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"__metadata__\":{\"a\":1}}", 0)]
    [InlineData("[]", 0)]
    [InlineData("{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}", 0)]
    public void Parse_LyingHeader_IsRefused(string header, int data) =>
        Assert.Equal("S006", Assert.Throws<InputRejectedException>(() => SafeTensors.Parse(WithHeader(header, data))).Code);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1L << 21)]
    [InlineData(0)]
    public void Parse_LyingHeaderLength_IsRefused(long length)
    {
        byte[] file = WithHeader("{}", 0);
        BinaryPrimitives.WriteInt64LittleEndian(file, length);

        Assert.Equal("S006", Assert.Throws<InputRejectedException>(() => SafeTensors.Parse(file)).Code);
    }

    [Fact]
    public void Floats_OfAnotherShapeOrType_AreRefusedNamingBoth()
    {
        SafeTensors file = new();
        file.Add("a", new float[6], 2, 3);

        Assert.Equal("S007: The tensor file does not hold what is needed. Tensor 'a' is F32 [2,3]; expected F32 [3,2]. It was made by another version or for another purpose; make it anew.",
            Assert.Throws<InputRejectedException>(() => file.Floats("a", 3, 2)).Message);
        Assert.Equal("S007", Assert.Throws<InputRejectedException>(() => file.Ints("a", 2, 3)).Code);
        Assert.Equal("S007", Assert.Throws<InputRejectedException>(() => file.Floats("b", 1)).Code);
    }
}
