using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Scion.Faults;
using Scion.Onnx;
using Scion.Tests.Onnx;
using Scion.Vision;

namespace Scion.Bench;

/// <summary>What becomes of changed networks? Every one is refused with a code or made into an encoder that ran; nothing hangs.</summary>
/// <remarks>Arguments: number of files, seed, an .onnx file (default: a small SqueezeNet of random weights). Of ten files, three are changed byte by byte, seven in
/// their graph: one to three changes to names, sizes, attributes, operators, constants, node order. Exit code 1 when an exception has no code or a file
/// takes over 5 s.</remarks>
static class EncodersFuzz
{
    public static Task<int> RunAsync(string[] arguments)
    {
        string? path = arguments.FirstOrDefault(argument => argument.EndsWith(".onnx", StringComparison.Ordinal));
        int[] numbers = [.. arguments.Where(argument => argument != path).Select(argument => int.Parse(argument, CultureInfo.InvariantCulture))];
        (int files, int seed) = (numbers.ElementAtOrDefault(0) is > 0 and int count ? count : 10_000, numbers.Length > 1 ? numbers[1] : 1);
        byte[] file = path is null ? PublishedNetworks.SqueezeNet(TensorProto.Types.DataType.Float).ToByteArray() : File.ReadAllBytes(path);
        ModelProto network = ModelProto.Parser.ParseFrom(file);
        Random random = new(seed);
        SortedDictionary<string, long> outcomes = new(StringComparer.Ordinal);
        (long bad, TimeSpan slowest, Stopwatch total) = (0, TimeSpan.Zero, Stopwatch.StartNew());
        for (int i = 0; i < files; i++)
        {
            byte[] changed = random.Next(10) < 3 ? BytesChanged(file, random) : GraphChanged(network, random);
            Stopwatch one = Stopwatch.StartNew();
            string outcome;
            try
            {
                ImageEncoder encoder = ImageEncoders.Make(changed, new ImageEncoderOrigin("fuzz.onnx") { Preset = PicturePreset.Named("rgb") }).Encoder;
                outcome = encoder.Card.Batches ? "ran" : "ran, one picture at a time";
            }
            catch (InputRejectedException e)
            {
                outcome = e.Code;
            }
            catch (Exception e)
            {
                outcome = $"DEFECT {e.GetType().Name}: {e.Message}";
                bad++;
            }
            if (one.Elapsed > slowest) slowest = one.Elapsed;
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }
        foreach ((string outcome, long times) in outcomes) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{times,10:n0}  {outcome}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{files:n0} files in {total.Elapsed.TotalSeconds:0} s, seed {seed}: {bad} without a code; slowest {slowest.TotalMilliseconds:0} ms; memory {Environment.WorkingSet >> 20} MiB at the end"));
        return Task.FromResult(bad == 0 && slowest < TimeSpan.FromSeconds(5) ? 0 : 1);
    }

    static byte[] BytesChanged(byte[] bytes, Random random)
    {
        for (int changes = 1 + random.Next(3); changes > 0; changes--)
        {
            // Most of a file is weights; what surrounds them lies at its beginning and end.
            int reach = Math.Min(bytes.Length, 8192), at = random.Next(3) switch { 0 => random.Next(reach), 1 => bytes.Length - 1 - random.Next(reach), _ => random.Next(bytes.Length) };
            int length = Math.Min(1 + random.Next(64), bytes.Length - at);
            bytes = random.Next(5) switch
            {
                0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                1 => [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
                2 => [.. bytes[..at], .. bytes[(at + length)..]],
                3 => [.. bytes[..(at + length)], .. bytes[at..]],
                _ => bytes[..at],
            };
            if (bytes.Length == 0) return bytes;
        }
        return bytes;
    }

    static byte[] GraphChanged(ModelProto network, Random random)
    {
        ModelProto model = network.Clone();
        GraphProto graph = model.Graph;
        string[] names = [.. graph.Node.SelectMany(node => node.Output), .. graph.Initializer.Select(constant => constant.Name)], operators = [.. OperatorRule.Known.Keys];
        for (int changes = 1 + random.Next(3); changes > 0; changes--)
        {
            NodeProto node = graph.Node[random.Next(graph.Node.Count)];
            TensorProto constant = graph.Initializer[random.Next(graph.Initializer.Count)];
            switch (random.Next(12))
            {
                case 0: node.OpType = operators[random.Next(operators.Length)]; break;
                case 1 when node.Input.Count > 0: node.Input[random.Next(node.Input.Count)] = names[random.Next(names.Length)]; break;
                case 2: node.Output[0] = names[random.Next(names.Length)]; break;
                case 3 when node.Attribute.Count > 0 && node.Attribute[random.Next(node.Attribute.Count)].Ints is { Count: > 0 } ints: ints[random.Next(ints.Count)] = Number(random); break;
                case 4 when node.Attribute.Count > 0: node.Attribute[random.Next(node.Attribute.Count)].I = Number(random); break;
                case 5 when constant.Dims.Count > 0: constant.Dims[random.Next(constant.Dims.Count)] = Number(random); break;
                case 6: constant.DataType = random.Next(18); break;
                case 7: graph.Node.Remove(node); graph.Node.Insert(random.Next(graph.Node.Count + 1), node); break;
                case 8: graph.Node.Remove(node); break;
                case 9: graph.Output[0].Name = names[random.Next(names.Length)]; break;
                case 10: model.OpsetImport[0].Version = 7 + random.Next(17); break;
                default:
                    string made = $"added{changes}";
                    graph.Node.Insert(random.Next(graph.Node.Count + 1), new NodeProto
                    {
                        OpType = operators[random.Next(operators.Length)],
                        Output = { made },
                        Input = { Enumerable.Range(0, random.Next(4)).Select(_ => names[random.Next(names.Length)]) },
                    });
                    names = [.. names, made];
                    break;
            }
            if (graph.Node.Count == 0) break;
        }
        return model.ToByteArray();
    }

    static long Number(Random random) => random.Next(6) switch
    {
        0 => 0,
        1 => -random.Next(1, 10),
        2 => random.Next(1, 10),
        3 => random.Next(),
        4 => long.MaxValue - random.Next(3),
        _ => 1L << random.Next(63),
    };
}
